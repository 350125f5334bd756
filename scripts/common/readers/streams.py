"""Arrays on disk that are read block by block, and may be larger than memory."""

import math
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from common.errors import UserError, format_shape, report_unreadable_file
from common.files import write_blocks
from common.readers.contents import refuse_content

BLOCK_BYTES = 32 * 2**20  # of a file that are in memory at once


@dataclass(frozen=True)
class Stream:
    """An array of which no more than a block need be in memory."""

    name: str  # for messages
    shape: tuple[int, ...]
    blocks: Callable[[], Iterator[np.ndarray]]  # of consecutive rows
    take: Callable[[np.ndarray], Iterator[np.ndarray]] | None = None  # blocks of these rows, without reading the others


@dataclass(frozen=True)
class Split:
    """One split of a data set, as its files have it."""

    labels: np.ndarray | None  # (n,) int64 or strings
    images: Stream  # (n, height, width, channels); its blocks are float32 in [0, 1]
    files: Sequence[str] | None = None  # the file of each image, where each has its own


def block_length(shape: Sequence[int], itemsize: int) -> int:
    """Return how many rows of an array make a block."""
    return max(1, BLOCK_BYTES // max(1, itemsize * math.prod(shape[1:])))


def stream_bytes(name: str, shape: tuple[int, ...], dtype: np.dtype, open_at_rows: Callable[[], BinaryIO]) -> Stream:
    """Return an array in C order from a binary stream, which must end with its last row."""

    def blocks() -> Iterator[np.ndarray]:
        size = block_length(shape, dtype.itemsize)
        with report_unreadable_file(name), open_at_rows() as stream:
            for start in range(0, shape[0], size):
                count = min(size, shape[0] - start)
                expected = count * dtype.itemsize * math.prod(shape[1:])
                content = stream.read(expected)
                if len(content) < expected:
                    raise UserError(
                        f"{name} ends before its {shape[0]} rows of {format_shape(shape[1:])} values do. "
                        "Download or write it again."
                    )
                yield np.frombuffer(content, dtype).reshape(count, *shape[1:])
            if stream.read(1):
                raise UserError(f"{name} goes on after its {shape[0]} rows. Download or write it again.")

    return Stream(name, shape, blocks)


def read_header(file: BinaryIO, name: str) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Return the shape, whether it is in Fortran order, and the dtype of the array at the start of a .npy file.

    Raises UserError if it holds Python objects, which are a pickle.
    """
    version = np.lib.format.read_magic(file)
    read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
    shape, is_fortran, dtype = read(file)
    if dtype.hasobject:
        raise UserError(
            f"{name} holds Python objects. Save it again: labels as array.astype(str), numbers as "
            'array.astype("float32").'
        )
    return shape, is_fortran, dtype


def stream_npy(path: str) -> Stream:
    """Return the array of numbers or strings in a .npy file, in C or Fortran order; it is memory-mapped."""
    with report_unreadable_file(path):
        with open(path, "rb") as file:
            if not is_npy(file):
                refuse_content(path, ".npy file")
            read_header(file, path)
        array = np.load(path, mmap_mode="r", allow_pickle=False)
        if not array.ndim:
            raise UserError(f"{path} holds a single value. Give an array with rows.")
        if array.offset + array.nbytes < Path(path).stat().st_size:
            raise UserError(f"{path} goes on after its {len(array)} rows. Save one array in a file.")

    def blocks() -> Iterator[np.ndarray]:
        size = block_length(array.shape, array.dtype.itemsize)
        for start in range(0, len(array), size):
            yield np.asarray(array[start : start + size])

    return Stream(path, array.shape, blocks)


def is_npy(file: BinaryIO) -> bool:
    """Return whether a file, at its start, is a .npy file."""
    magic = file.read(len(np.lib.format.MAGIC_PREFIX))
    file.seek(0)
    return magic == np.lib.format.MAGIC_PREFIX


def stream_npz(path: str, key: str) -> Stream:
    """Return one array of a .npz file, compressed or not; raises UserError if it is in Fortran order."""
    name = f"{key} in {path}"

    def open_member() -> BinaryIO:
        return zipfile.ZipFile(path).open(f"{key}.npy")

    def open_at_rows() -> BinaryIO:
        stream = open_member()
        read_header(stream, name)
        return stream

    with report_unreadable_file(name), open_member() as stream:
        shape, is_fortran, dtype = read_header(stream, name)
    if is_fortran:
        raise UserError(f"{name} is in Fortran order. Save it again as numpy.ascontiguousarray(array).")
    if not shape:
        raise UserError(f"{name} is a single value. Give an array with rows.")
    return stream_bytes(name, shape, dtype, open_at_rows)


def stream_array(name: str, array: np.ndarray) -> Stream:
    """Return an array in memory as a stream of one block."""
    return Stream(name, array.shape, lambda: iter([array]))


def write_rows(source: Stream, rows: np.ndarray, path: Path) -> None:
    """Write the chosen rows, ascending, of a stream of float32 as a .npy file, block by block."""

    def chosen() -> Iterator[np.ndarray]:
        start = 0
        for block in source.blocks():
            yield block[rows[slice(*np.searchsorted(rows, (start, start + len(block))))] - start]
            start += len(block)

    blocks = source.take(rows) if source.take else chosen()
    write_blocks(path, (len(rows), *source.shape[1:]), blocks)
