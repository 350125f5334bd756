"""The format of mnist.pkl.gz: three (images, labels) pairs of NumPy arrays, for training, validation and test.

A pickle from outside is never trusted: only NumPy arrays of numbers are built from it.
"""

import gzip
import io
import os
import pickle
import pickletools
import zlib
from typing import Any, BinaryIO

import numpy as np

from common.errors import UserError, as_user_error, report_unreadable_file
from common.files import atomic_write
from common.names import SPLITS

MAX_UNPACKED = 512 * 2**20  # bytes; MNIST takes 220 MB, and more in a pickle of Python 2
MAX_STEPS = 1000  # in a pickle; six arrays take about 200
MAX_LABEL = 255  # a byte in MNIST's own files
REMEDY = "Write it again with three pairs of float32 images in [0, 1) and integer labels."
Pairs = list[tuple[np.ndarray, np.ndarray]]


class _Dtype:
    """Stand-in for a dtype in the pickle: one of numbers, of which only the byte order can be set."""

    def __init__(self, name: str, *_: Any) -> None:
        self.dtype = np.dtype(name)
        if self.dtype.kind not in "biuf":
            raise UserError(f"the pickle holds an array of {name!r:.40}, not of numbers")

    def __setstate__(self, state: tuple) -> None:
        self.dtype = self.dtype.newbyteorder(state[1])


class _Array:
    """Stand-in for an array in the pickle: its state, which is read when the pickle has ended."""

    def __init__(self, *_: Any) -> None:
        self.state: tuple = ()

    def __setstate__(self, state: tuple) -> None:
        self.state = state

    def read(self) -> np.ndarray:
        """Return the array in native byte order; no declared size is allocated before it is checked."""
        _, shape, dtype, columns_first, content = self.state
        content = content.encode("latin1") if isinstance(content, str) else content  # in a pickle of Python 2
        stored = np.frombuffer(content, dtype.dtype).reshape(shape, order="F" if columns_first else "C")
        if stored.shape != tuple(shape):  # as with a negative length
            raise ValueError(f"its shape cannot be {shape}")
        return stored.astype(stored.dtype.newbyteorder("="), copy=False)


def _array_of_buffer(content: bytes, dtype: _Dtype, shape: tuple[int, ...], order: str) -> _Array:
    array = _Array()
    array.state = (None, shape, dtype, order == "F", content)
    return array


def _bytes_of_text(text: str, _: str) -> str:
    return text  # without encoding it: a pickle could ask for many copies


ALLOWED = {
    "numpy.ndarray": None,  # every array names it, but it is never called: it would allocate any size
    "numpy.dtype": _Dtype,
    "_codecs.encode": _bytes_of_text,
    **{f"numpy.{core}.multiarray._reconstruct": _Array for core in ("core", "_core")},
    **{f"numpy.{core}.numeric._frombuffer": _array_of_buffer for core in ("core", "_core")},
}


class ArrayUnpickler(pickle.Unpickler):
    """An unpickler of NumPy arrays of numbers, as `_Array`, and of containers of them, which calls nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        """Return what the pickle may call instead of `module.name`."""
        full_name = f"{module}.{name}"
        if full_name not in ALLOWED:
            raise UserError(f"the pickle calls {full_name!r:.80}, which is not allowed, and was not run")
        return ALLOWED[full_name]


STEPS = {step.code.encode("latin1"): step for step in pickletools.opcodes}


def check_steps(pickled: bytes) -> None:
    """Raise UserError if a pickle has more steps than six arrays need, or a memo index that is higher than that.

    A step of one byte can take a hundred bytes of memory, and a memo index as many as its value.
    """
    file = io.BytesIO(pickled)
    for _ in range(MAX_STEPS):
        step = STEPS[file.read(1)]
        if step.name == "STOP":
            return
        if step.name == "STRING":  # of Python 2; pickletools wants it in ASCII
            file.readline()
        elif step.arg:
            argument = step.arg.reader(file)
            if "PUT" in step.name and argument > MAX_STEPS:
                break
    raise UserError(f"the pickle has more than {MAX_STEPS} steps")


def gunzip(data: bytes) -> bytes:
    """Return gzipped data unpacked, at most MAX_UNPACKED bytes; raises UserError if it is more, or damaged."""
    unpacker = zlib.decompressobj(wbits=31)  # for gzip's header and checksum; all in one piece
    try:
        unpacked = unpacker.decompress(data, MAX_UNPACKED + 1)
    except zlib.error as error:
        raise UserError(f"not a complete gzip file ({error})") from error
    if len(unpacked) > MAX_UNPACKED:
        raise UserError(f"unpacks to more than {MAX_UNPACKED} bytes")
    if not unpacker.eof or unpacker.unused_data:
        raise UserError(
            f"not a complete gzip file ({'more' if unpacker.eof else 'no end'} after {len(unpacked)} bytes)"
        )
    return unpacked


def check_pairs(pairs: Pairs) -> None:
    """Raise UserError unless the three pairs are as `load_pairs` returns them."""
    for split, (images, labels) in zip(SPLITS, pairs, strict=True):
        if not (_is_array(images, "f") and images.dtype == np.float32 and images.ndim == 2):
            raise UserError(f"its {split} images are not a float32 array of shape (n, pixels)")
        if not images.size:
            raise UserError(f"its {split} images are empty: {len(images)} rows of {images.shape[1]} pixels")
        if images.shape[1] != pairs[0][0].shape[1]:
            raise UserError(
                f"its {split} images have {images.shape[1]} pixels, its train images {pairs[0][0].shape[1]}"
            )
        if not (images.min() >= 0 and images.max() < 1):  # a comparison with NaN is False
            wrong = len(images) - np.count_nonzero(((images >= 0) & (images < 1)).all(axis=1))
            raise UserError(f"{wrong} of its {len(images)} {split} images have pixels outside [0, 1)")
        if not (_is_array(labels, "iu") and labels.shape == images.shape[:1]):
            raise UserError(f"its {split} labels are not {len(images)} integers, one for each image")
        if labels.min() < 0 or labels.max() > MAX_LABEL:
            wrong = np.count_nonzero((labels < 0) | (labels > MAX_LABEL))
            raise UserError(f"{wrong} of its {len(labels)} {split} labels are outside 0 to {MAX_LABEL}")


def load_pairs(file: BinaryIO) -> Pairs:
    """Return the three pairs in a mnist.pkl.gz from any origin.

    A pair is images (n, pixels) float32 in [0, 1), one image a row, and labels (n,) integers from 0 to 255. Raises
    UserError if the file holds anything else.
    """
    with as_user_error(lambda reason: f"its pickle cannot be read ({reason})", keep=(UserError,)):
        pickled = gunzip(file.read())
        check_steps(pickled)
        loaded = ArrayUnpickler(io.BytesIO(pickled), encoding="latin1").load()
        if not isinstance(loaded, tuple | list) or len(loaded) != len(SPLITS):
            raise UserError(f"it does not hold {len(SPLITS)} pairs")
        pairs = [(images.read(), labels.read()) for images, labels in loaded]
    check_pairs(pairs)
    return pairs


def _is_array(value: Any, kinds: str) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in kinds


def read_pairs(path: str | os.PathLike) -> Pairs:
    """Return the pairs in the file at `path`, as `load_pairs` does; errors name the file."""

    def message(reason: str) -> str:
        return f"{path} is not a valid mnist.pkl.gz: {reason}. {REMEDY}"

    with report_unreadable_file(path), open(path, "rb") as file, as_user_error(message):
        return load_pairs(file)


def write_pairs(path: str | os.PathLike, pairs: Pairs) -> None:
    """Write three (images, labels) pairs as a mnist.pkl.gz; the same pairs give the same bytes.

    Raises UserError if `load_pairs` would.
    """
    with as_user_error(lambda reason: f"{path} was not written: {reason}."):
        check_pairs(pairs)
    with atomic_write(path) as part, open(part, "wb") as file, gzip.GzipFile("", "wb", 6, file, mtime=0) as packed:
        pickle.dump(tuple(pairs), packed, protocol=4)
