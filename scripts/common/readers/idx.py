"""The four IDX files of MNIST, Fashion-MNIST, KMNIST and EMNIST."""

import gzip
import logging
import struct
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np

from common.errors import UserError, report_unreadable_file
from common.readers.contents import refuse_content
from common.readers.images import as_images, transpose_images
from common.readers.labels import as_labels
from common.readers.streams import Split, Stream, stream_bytes

log = logging.getLogger("workflow")

MAX_DIMENSIONS = 4
GZIP = b"\x1f\x8b"  # start of a gzipped file


def stream_idx(name: str, open_file: Callable[[], BinaryIO]) -> Stream:
    """Return the array in an IDX file of bytes (http://yann.lecun.com/exdb/mnist), which `open_file` opens."""
    with report_unreadable_file(name), open_file() as stream:
        magic = stream.read(4)
        if magic[:3] != b"\0\0\x08" or len(magic) < 4 or not 1 <= magic[3] <= MAX_DIMENSIONS:
            raise UserError(f"{name} is not an IDX file of bytes. Give an IDX file, gzipped or not.")
        shape = struct.unpack(f">{magic[3]}I", stream.read(4 * magic[3]))

    def open_at_rows() -> BinaryIO:
        stream = open_file()
        stream.read(4 + 4 * len(shape))
        return stream

    return stream_bytes(name, shape, np.dtype(np.uint8), open_at_rows)


def stream_idx_file(path: str) -> Stream:
    """Return the array in an IDX file on disk, gzipped or not."""

    def open_file() -> BinaryIO:
        return gzip.open(path) if is_gzipped else open(path, "rb")

    with report_unreadable_file(path), open(path, "rb") as file:
        start = file.read(2)
        is_gzipped = start == GZIP
        if start not in (GZIP, b"\0\0"):
            refuse_content(path, "IDX file", "Give an IDX file, gzipped or not.")
    return stream_idx(path, open_file)


def parse_idx(data: bytes, name: str) -> np.ndarray:
    """Return the uint8 array in the bytes of an IDX file; raises UserError if they are damaged or it is empty."""
    stream = stream_idx(name, lambda: BytesIO(data))
    blocks = list(stream.blocks())
    if 0 in stream.shape:
        raise UserError(f"{name} is empty")
    return np.concatenate(blocks)


def write_idx(array: np.ndarray) -> bytes:
    """Return the bytes of an IDX file with this uint8 array."""
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def read(
    train_images: str, train_labels: str, test_images: str, test_labels: str, mapping: str | None = None
) -> dict[str, Split]:
    """Return the two splits.

    EMNIST's images, recognized by their file names, are stored transposed; `mapping` is the file of its class names,
    given as code points.
    """
    splits = {}
    for split, images, labels in ("train", train_images, train_labels), ("test", test_images, test_labels):
        stream = as_images(stream_idx_file(images))
        numbers = as_labels(stream_idx_file(labels), stream.shape[0], "image")
        if Path(images).name.startswith("emnist-"):
            log.info("%s: EMNIST stores its images transposed; they are turned upright", images)
            stream = transpose_images(stream)
        splits[split] = Split(map_labels(numbers, mapping) if mapping else numbers, stream)
    return splits


def map_labels(numbers: np.ndarray, mapping: str) -> np.ndarray:
    """Return class names (n,) for class numbers (n,), by EMNIST's mapping of numbers to code points."""
    with report_unreadable_file(mapping):
        lines = [line for line in Path(mapping).read_text().splitlines() if line.strip()]
        names = dict(map(int, line.split()[:2]) for line in lines)
        return np.array([chr(names[number]) for number in numbers])
