"""How every script runs as a job: where its words go, and how it fails."""

import logging
import os
import resource
import sys
import textwrap
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

MAX_REASON = 300  # characters of an error that is not for the user; TensorFlow's can have thousands
MORE_MEMORY = "run fewer jobs at once (--cores 1), or where there is more memory, or set sample for the data set"


class UserError(Exception):
    """A failure that a user can mend; its message says, in one line, what is wrong, where, and what to do."""


def forget_variables(*prefixes: str, kept: Sequence[str] = ()) -> None:
    """Remove the environment variables that begin so, but for those that are `kept`, before a library reads them.

    A user's settings of a library, made for other work, must not change what a job makes.
    """
    for name in list(os.environ):
        if name.startswith(prefixes) and name not in kept:
            del os.environ[name]


class Tee:
    """A text stream that writes to several, to a job's log and to the terminal."""

    def __init__(self, *streams: TextIO) -> None:
        """Write to `streams`."""
        self.streams = streams

    def write(self, text: str) -> None:
        """Write to each."""
        for stream in self.streams:
            stream.write(text)

    def flush(self) -> None:
        """Flush each."""
        for stream in self.streams:
            stream.flush()


@contextmanager
def job(log_path: str, name: str) -> Iterator[TextIO]:
    """Run the body of a script as a job named `name`, and yield the stream for its progress.

    Snakemake's `script:` does not send a script's output to its `log:` file, so this does: all that the script and its
    libraries print goes there, that of C++ code included. What is logged (module `logging`) or written to the yielded
    stream goes to the terminal as well. If the body raises, the log gets the traceback, the terminal one line, and the
    process ends with status 1.
    """
    terminal = os.fdopen(os.dup(2), "w", buffering=1)
    log = open(log_path, "w", buffering=1)  # noqa: SIM115, the process ends with it
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
        os.dup2(log.fileno(), stream.fileno())
    progress = Tee(log, terminal)
    handler = logging.StreamHandler(progress)
    handler.setFormatter(logging.Formatter(f"%(asctime)s {name}: %(message)s", "%H:%M:%S"))
    logger = logging.getLogger("workflow")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    started = time.perf_counter()
    try:
        yield progress
        unit = 1 if sys.platform == "darwin" else 2**10
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30
        logger.info("done in %.1f s, peak memory %.2f GiB", time.perf_counter() - started, peak)
    except Exception as error:
        traceback.print_exc(file=log)
        cause: BaseException | None = error
        while cause:  # what was left open may complain as it is deleted; not after the last word
            traceback.clear_frames(cause.__traceback__)
            cause = cause.__cause__ or cause.__context__
        if isinstance(error, UserError):
            reason = f"{error}"
        else:
            short = textwrap.shorten(f"{type(error).__name__}: {error}", MAX_REASON, placeholder=" ...")
            remedy = f"; {MORE_MEMORY}" if isinstance(error, MemoryError) else ""
            reason = f"{short}{remedy} (more in {log_path})"
        logger.error("error: %s", " ".join(reason.split()))
        sys.exit(1)
