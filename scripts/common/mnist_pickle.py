"""The notebook's file, mnist.pkl.gz: three (images, labels) pairs of numpy arrays, to train, validate and test."""

import gzip
import io
import os
import pickle
from typing import Any, BinaryIO

import numpy as np

from common.files import whole
from common.jobs import UserError

SPLITS = ("train", "validation", "test")
MAX_UNPACKED = 512 * 2**20  # bytes; MNIST takes 220 MB, and more in the text of an old pickle
Pairs = list[tuple[np.ndarray, np.ndarray]]


def _numeric_dtype(name: Any, *_: Any) -> np.dtype:
    dtype = np.dtype(name)
    if dtype.kind not in "biuf":
        raise UserError(f"the pickle holds an array of {dtype}, not of numbers")
    return dtype


def _bytes_of_text(text: str, encoding: str) -> bytes:
    return text.encode("latin1")  # how protocol 2 writes bytes


def _empty_array(*_: Any) -> np.ndarray:
    return np.ndarray((0,), "b")  # its shape and content come after it; a declared size is never allocated


def _array_of_buffer(buffer: bytes, dtype: np.dtype, shape: tuple[int, ...], order: str) -> np.ndarray:
    return np.frombuffer(buffer, dtype).reshape(shape, order=order)


ALLOWED = {
    "numpy.ndarray": None,  # named by every array, never to be called: it would allocate any size
    "numpy.dtype": _numeric_dtype,
    "_codecs.encode": _bytes_of_text,
    **{f"numpy.{core}.multiarray._reconstruct": _empty_array for core in ("core", "_core")},
    **{f"numpy.{core}.numeric._frombuffer": _array_of_buffer for core in ("core", "_core")},
}


class ArrayUnpickler(pickle.Unpickler):
    """An unpickler that makes numpy arrays of numbers and containers of them, and calls nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        """What the pickle may call in place of `module.name`."""
        asked = f"{module}.{name}"
        if asked not in ALLOWED:
            raise UserError(f"the pickle asks for {asked}, which is no numpy array: refused, nothing of it was run")
        return ALLOWED[asked]


def gunzip(data: bytes) -> bytes:
    """`data` without its gzip packing, at most MAX_UNPACKED bytes; raises UserError beyond them."""
    with gzip.open(io.BytesIO(data)) as file:
        unpacked = file.read(MAX_UNPACKED + 1)
    if len(unpacked) > MAX_UNPACKED:
        raise UserError(f"unpacks to more than {MAX_UNPACKED} bytes, given up")
    return unpacked


def load_pairs(file: BinaryIO) -> Pairs:
    """Read a mnist.pkl.gz that may come from anywhere.

    Returns three pairs: images (n, pixels) float32 in [0, 1), one image a row, and labels (n,) integers. Raises
    UserError if it is anything else.
    """
    try:
        unpickler = ArrayUnpickler(io.BytesIO(gunzip(file.read())), encoding="latin1")
        pairs = [(images, labels) for images, labels in unpickler.load()]
    except UserError:
        raise
    except Exception as error:  # bytes from outside can make an unpickler fail in any way
        raise UserError(f"not a mnist.pkl.gz ({type(error).__name__}: {error})") from error
    if len(pairs) != len(SPLITS):
        raise UserError(f"it holds {len(pairs)} pairs, not {len(SPLITS)}")
    for split, (images, labels) in zip(SPLITS, pairs, strict=True):
        if not (_is_array(images, "f") and images.dtype == np.float32 and images.ndim == 2):
            raise UserError(f"its {split} images are not a float32 array of shape (n, pixels)")
        if not (_is_array(labels, "iu") and labels.shape == images.shape[:1]):
            raise UserError(f"its {split} labels are not {len(images)} integers")
    return pairs


def _is_array(value: Any, kinds: str) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in kinds


def read_pairs(path: str | os.PathLike) -> Pairs:
    """load_pairs of a file on disk; its errors name the file."""
    try:
        with open(path, "rb") as file:
            return load_pairs(file)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def write_pairs(path: str | os.PathLike, pairs: Pairs) -> None:
    """Write three (images, labels) pairs as a mnist.pkl.gz; the same pairs give the same bytes."""
    with whole(path) as part, open(part, "wb") as file, gzip.GzipFile("", "wb", 6, file, mtime=0) as packed:
        pickle.dump(tuple(pairs), packed, protocol=4)
