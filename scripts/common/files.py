"""Files that are written whole or not at all, and large arrays that are written a block at a time."""

import errno
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from common.jobs import UserError

SCRIPTS = Path(__file__).parents[1]  # of a workflow from git, what a script takes for its own place is an address

PREFIX = ".part-"
TOKEN = 4  # random bytes
REMEDIES = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "make room"),
    **dict.fromkeys((errno.EROFS, errno.EACCES, errno.EPERM), "allow writing"),
}


@contextmanager
def whole(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a temporary path beside `path` that becomes `path` when the block ends well, and is removed when not.

    The temporary name is one that no other process has, and keeps the suffix. What a killed process has left of the
    same file is removed; if that process lives on somewhere, as a cluster's job can when nobody waits for it any more,
    it fails when it comes to rename what is no longer there, and cannot spoil this one's file.
    """
    path = Path(path)
    for other in path.parent.glob(f"{PREFIX}*"):
        if other.name[len(PREFIX) + 2 * TOKEN :] == f"-{path.name}":
            other.unlink(missing_ok=True)
    part = path.with_name(f"{PREFIX}{secrets.token_hex(TOKEN)}-{path.name}")
    try:
        yield part
        with open(part, "rb") as file:
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        if error.errno not in REMEDIES:
            raise
        remedy = REMEDIES[error.errno]
        raise UserError(f"{path} could not be written ({error.strerror}); {remedy} there and run again") from error
    finally:
        with suppress(OSError):  # on a disk that is read-only by now, it must not hide why
            part.unlink(missing_ok=True)


def write_blocks(path: Path, shape: tuple[int, ...], blocks: Iterable[np.ndarray], dtype: str = "<f4") -> None:
    """Write a .npy file of an array of that shape, in C order, from blocks of consecutive rows.

    Neither memory-mapped nor by np.save: of a full disk the one would kill the process before it could say so, and the
    other does not say that it was that. Raises ValueError if the blocks have not as many rows.
    """
    header, rows = {"descr": dtype, "fortran_order": False, "shape": shape}, 0
    with open(path, "wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for block in blocks:
            file.write(np.ascontiguousarray(block, dtype).data)
            rows += len(block)
    if rows != shape[0]:
        raise ValueError(f"{rows} rows in the place of {shape[0]}")


def save_array(path: str | os.PathLike, array: np.ndarray) -> None:
    """Write an array as a .npy file, whole or not at all."""
    with whole(path) as part:
        write_blocks(part, array.shape, [array], array.dtype.str)
