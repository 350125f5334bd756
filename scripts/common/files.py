"""Files that are written whole or not at all."""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from common.jobs import UserError

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
