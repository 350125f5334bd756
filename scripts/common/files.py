"""Atomic writes: a file is complete or absent. Large arrays are written block by block."""

import errno
import json
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from common.errors import UserError

SCRIPTS = Path(__file__).parents[1]  # in a workflow from git, the __file__ of a script is an address

PREFIX = ".part-"
TOKEN_BYTES = 4
REMEDIES = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "Free space there and run again."),
    **dict.fromkeys((errno.EROFS, errno.EACCES, errno.EPERM), "Allow writing there and run again."),
}


@contextmanager
def atomic_write(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a temporary path beside `path` that is renamed to `path` if the block succeeds, and removed otherwise.

    The temporary name is unique to this process and keeps the suffix. Temporary files of the same name that a killed
    process left behind are removed. If that process still runs, as a forgotten cluster job may, its rename fails and
    cannot spoil this file. Raises UserError if the disk is full or cannot be written to.
    """
    path = Path(path)
    for other in path.parent.glob(f"{PREFIX}*"):
        if other.name[len(PREFIX) + 2 * TOKEN_BYTES :] == f"-{path.name}":
            other.unlink(missing_ok=True)
    part = path.with_name(f"{PREFIX}{secrets.token_hex(TOKEN_BYTES)}-{path.name}")
    try:
        yield part
        with open(part, "rb") as file:
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        if error.errno not in REMEDIES:
            raise
        raise UserError(f"{path} cannot be written ({error.strerror}). {REMEDIES[error.errno]}") from error
    finally:
        with suppress(OSError):  # a disk that is read-only by now must not hide the cause
            part.unlink(missing_ok=True)


def write_blocks(path: Path, shape: tuple[int, ...], blocks: Iterable[np.ndarray], dtype: str = "<f4") -> None:
    """Write an array of this shape, in C order, as a .npy file from blocks of consecutive rows.

    It is neither memory-mapped (a full disk would kill the process without a message) nor written by np.save (which
    does not say that the disk is full). Raises ValueError if the blocks have another number of rows.
    """
    header, rows = {"descr": dtype, "fortran_order": False, "shape": shape}, 0
    with open(path, "wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for block in blocks:
            file.write(np.ascontiguousarray(block, dtype).data)
            rows += len(block)
    if rows != shape[0]:
        raise ValueError(f"the blocks have {rows} rows, the array {shape[0]}")


def save_array(path: str | os.PathLike, array: np.ndarray) -> None:
    """Write an array as a .npy file, atomically."""
    with atomic_write(path) as part:
        write_blocks(part, array.shape, [array], array.dtype.str)


def save_npz(path: str | os.PathLike, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays by name as an uncompressed .npz file, atomically."""
    with atomic_write(path) as part:
        np.savez(part, **arrays)


def save_json(path: str | os.PathLike, value: Any, indent: int | None = 2) -> None:
    """Write a value as a JSON file, atomically."""
    save_text(path, json.dumps(value, indent=indent, ensure_ascii=False) + "\n")


def save_text(path: str | os.PathLike, text: str) -> None:
    """Write a text file in UTF-8, atomically."""
    with atomic_write(path) as part:
        part.write_text(text, encoding="utf-8")
