"""The log of a job, and how a job fails."""

import logging
import os
import resource
import sys
import textwrap
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from common.errors import UserError

MAX_REASON = 300  # characters of an unexpected error; TensorFlow's can have thousands
MEMORY_HINT = "Run fewer jobs at once (--cores 1), use a machine with more memory, or set sample for the data set."

log = logging.getLogger("workflow")


class Tee:
    """A text stream that writes to several others: the job's log and the terminal."""

    def __init__(self, *streams: TextIO) -> None:
        """Write to `streams`."""
        self.streams = streams

    def write(self, text: str) -> None:
        """Write the text to each stream."""
        for stream in self.streams:
            stream.write(text)

    def flush(self) -> None:
        """Flush each stream."""
        for stream in self.streams:
            stream.flush()


@contextmanager
def run_logged(log_path: str, name: str) -> Iterator[TextIO]:
    """Run the body of a script as a job called `name`, and yield the stream for its progress.

    Snakemake does not send the output of a `script:` to its `log:` file, so this does: everything that the script and
    its libraries print goes there, C++ code included. Messages of `log`, unless their level is DEBUG, and text written
    to the yielded stream appear on the terminal as well. If the body raises, the traceback goes to the log, one line to
    the terminal, and the process exits with status 1.
    """
    terminal = os.fdopen(os.dup(2), "w", buffering=1)
    log_file = open(log_path, "w", buffering=1)  # noqa: SIM115, the process ends with it
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
        os.dup2(log_file.fileno(), stream.fileno())
    progress = Tee(log_file, terminal)
    for stream, level in ((log_file, logging.DEBUG), (terminal, logging.INFO)):
        handler = logging.StreamHandler(stream)
        handler.setLevel(level)
        handler.setFormatter(logging.Formatter(f"%(asctime)s {name}: %(message)s", "%H:%M:%S"))
        log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    started = time.perf_counter()
    try:
        yield progress
        log.info("done in %.1f s, peak memory %.2f GiB", time.perf_counter() - started, peak_memory_gib())
    except Exception as error:
        traceback.print_exc(file=log_file)
        release_frames(error)
        log.error("error: %s", " ".join(describe_failure(error, log_path).split()))
        sys.exit(1)


def peak_memory_gib() -> float:
    """Return the largest resident memory of this process so far, in GiB."""
    unit = 1 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30


def release_frames(error: BaseException | None) -> None:
    """Delete the local variables of an error's frames now: an open file may complain when deleted, so not at exit."""
    while error:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__


def describe_failure(error: Exception, log_path: str) -> str:
    """Return the reason that a user reads on the terminal."""
    if isinstance(error, UserError):
        return f"{error}"
    reason = textwrap.shorten(f"{type(error).__name__}: {error}", MAX_REASON, placeholder=" ...")
    remedy = f" {MEMORY_HINT}" if isinstance(error, MemoryError) else ""
    return f"{reason}{remedy} (more in {log_path})"
