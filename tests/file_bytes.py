"""Bytes for the readers of files: good ones, almost good ones, and those that old programs wrote."""

import io
import struct
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from common.names import IDX_FILES
from common.readers.idx import write_idx

MEGABYTE = 2**20
GENERATOR = np.random.default_rng(0)
IMAGES = [(GENERATOR.integers(0, 256, (n, 9)) / 256).astype(np.float32) for n in (7, 3, 2)]
PAIRS = [(images, np.arange(len(images))) for images in IMAGES]
BYTES = GENERATOR.integers(0, 256, (9, 5, 5), np.uint8)
PARTS = {
    "train_images": BYTES,
    "train_labels": np.arange(9, dtype=np.uint8),
    "test_images": BYTES[:4],
    "test_labels": np.arange(4, dtype=np.uint8),
}
WHEEL = "digits-1.0-py3-none-any.whl"


def steady(examples: int) -> settings:
    """Return settings that give the same examples each time."""
    quiet = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    return settings(max_examples=examples, derandomize=True, deadline=None, database=None, suppress_health_check=quiet)


@st.composite
def mutated(draw, *goods: bytes) -> bytes:
    """Return good bytes with some replaced, removed or inserted, most of them near an end, where the headers are."""
    data = bytearray(draw(st.sampled_from(goods)))
    for _ in range(draw(st.integers(1, 3))):
        near = draw(st.integers(0, min(150, len(data))))
        at = draw(st.sampled_from([near, len(data) - near]) | st.integers(0, len(data)))
        data[at : at + draw(st.sampled_from([0, 1, 1, 1, 4, len(data)]))] = draw(st.binary(max_size=4))
    return bytes(data)


def flip_bit(data: bytes, array: np.ndarray) -> bytes:
    """Return a file's bytes with one bit of an array's content changed."""
    at = data.index(array.tobytes()) + 1
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def saved(save: Callable, *arguments: np.ndarray, **arrays: np.ndarray) -> bytes:
    """Return the bytes that np.save or np.savez writes."""
    file = io.BytesIO()
    save(file, *arguments, **arrays)
    return file.getvalue()


def pack_wheel(compression: int = zipfile.ZIP_DEFLATED, infix: str = "-idx", without: str | None = None) -> bytes:
    """Return a wheel with the IDX files of PARTS, which have `infix` in their names."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as wheel:
        for part, array in PARTS.items():
            if part != without:
                wheel.writestr(f"digits/{IDX_FILES[part].replace('-idx', infix)}", write_idx(array))
        wheel.writestr("digits-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\n")
    return file.getvalue()


@contextmanager
def little_memory() -> Iterator[None]:
    """Fail if the block takes much more memory than small files need."""
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 * MEGABYTE


def pickle_of_python_2(pairs: list[tuple[np.ndarray, np.ndarray]], protocol: int) -> bytes:
    """Return pairs as Python 2, which the notebook ran on, pickled them: the content of the arrays is text."""

    def text(value: bytes) -> bytes:
        if protocol == 0:
            return b"S" + repr(value).encode()[1:] + b"\n"
        return b"T" + struct.pack("<I", len(value)) + value

    def dumped(array: np.ndarray) -> bytes:
        shape = b"".join(b"I%d\n" % length for length in array.shape)
        dtype = b"cnumpy\ndtype\n(" + text(array.dtype.str[1:].encode()) + b"I0\nI1\ntR(I3\n"
        dtype += text(b"<") + b"NNNI-1\nI-1\nI0\ntb"
        start = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\nt" + text(b"b") + b"tR"
        return start + b"(I1\n(" + shape + b"t" + dtype + b"I00\n" + text(array.tobytes()) + b"tb"

    pickled = (b"(" + dumped(images) + dumped(labels) + b"t" for images, labels in pairs)
    return (b"\x80\x02" if protocol else b"") + b"(" + b"".join(pickled) + b"t."
