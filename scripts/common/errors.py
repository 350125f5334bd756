"""Errors that a user can mend, each reported in one line."""

import difflib
import errno
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

MAX_REASON = 200  # characters of another library's message


class UserError(Exception):
    """A failure that a user can mend. The message says in one line what is wrong, where, and what to do."""


def describe_error(error: BaseException) -> str:
    """Return an error's type and message in one short line; of a UserError, the message alone."""
    text = " ".join(f"{error}".split())
    return text if isinstance(error, UserError) else f"{type(error).__name__}: {text:.{MAX_REASON}}"


def suggest(name: object, names: Iterable[object]) -> str:
    """Return "Did you mean ...?" with the nearest of the `names`, or a sentence that lists all if none is near."""
    by_lower = {str(known).lower(): str(known) for known in names}
    near = difflib.get_close_matches(str(name).lower(), by_lower, n=1)
    return f"Did you mean {by_lower[near[0]]}?" if near else f"Available: {', '.join(by_lower.values())}."


def format_shape(shape: Iterable[int | None]) -> str:
    """Return a shape such as (28, 28, 1) as "28 x 28 x 1", with "any" for a length that is free."""
    return " x ".join("any" if length is None else f"{length:,}" for length in shape)


@contextmanager
def as_user_error(
    message: Callable[[str], str], explain: Callable[[Exception], str] = describe_error, keep: tuple[type, ...] = ()
) -> Iterator[None]:
    """Raise UserError(message(reason)) if the block fails; code or a file from outside can fail in any way.

    `explain` makes the reason of the error. MemoryError passes unchanged, and so does each type in `keep`. An OSError
    for want of memory becomes a MemoryError.
    """
    try:
        yield
    except (MemoryError, *keep):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.ENOMEM:
            raise MemoryError(str(error)) from error
        raise UserError(message(explain(error))) from error


@contextmanager
def report_unreadable_file(place: str | Path) -> Iterator[None]:
    """Raise UserError that names a user's file or folder if the block cannot read it; a UserError passes unchanged."""

    def message(reason: str) -> str:
        return f"{place} cannot be read ({reason}). Check its format and its permissions."

    with as_user_error(message, keep=(UserError, FileNotFoundError)):
        try:
            yield
        except FileNotFoundError as error:
            raise UserError(f"{place} does not exist. Check the path in the configuration.") from error


def rebuild_hint(*paths: str | Path) -> str:
    """Return the sentence that says how to rebuild damaged outputs of the workflow."""
    return f"Rebuild: snakemake --cores all --force {' '.join(map(str, paths))}"


@contextmanager
def report_corrupt_file(path: str | Path) -> Iterator[None]:
    """Raise UserError that says how to rebuild an output of the workflow if the block cannot read it."""

    def message(reason: str) -> str:
        return f"{path} is damaged ({reason}). {rebuild_hint(path)}"

    with as_user_error(message):
        yield
