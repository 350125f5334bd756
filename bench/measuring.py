"""How the benchmarks measure: each run in a process of its own, a row a run, kept as it comes.

Without NumPy, as are the scripts that start the runs: Linux counts to a process's peak memory what the process that
started it had.
"""

import csv
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from common.files import whole
from common.jobs import UserError

SHARED = ("numpy", "scipy", "scikit-learn")
OURS = ("openTSNE", "faiss-cpu", "numba", *SHARED)  # packages that this workflow's t-SNE computes with


def take_cores(threads: int) -> None:
    """Leave this process, and those that it starts, so many cores: oneDAL takes all that it sees. Linux only."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def environment(threads: int) -> dict[str, str]:
    """The environment of a process that is to compute with so many threads."""
    libraries = ("OMP", "OPENBLAS", "MKL", "NUMBA")
    return os.environ | {f"{library}_NUM_THREADS": f"{threads}" for library in libraries}


def machine() -> dict[str, Any]:
    """The processor's model, and how many cores of it there are to use."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return {"processor": models[0] if models else platform.machine(), "cores": os.cpu_count()}


def measure(command: Sequence[str], log: Path, threads: int) -> tuple[int, float, dict[str, float]]:
    """Run a command, its words going to `log`: its status, when it was started, and what the process took.

    The start is in seconds of time.monotonic. What it took: wall and CPU seconds, with those of the processes that it
    has waited for, and its peak memory in MiB, or that of the largest of them.
    """
    with open(log, "w") as words:
        started = time.monotonic()
        process = subprocess.Popen(command, stdout=words, stderr=words, env=environment(threads))
        _, status, usage = os.wait4(process.pid, 0)
        ended = time.monotonic()
    process.returncode = os.waitstatus_to_exitcode(status)  # or Popen would wait for it again
    taken = {
        "process_seconds": round(ended - started, 3),
        "process_cpu_seconds": round(usage.ru_utime + usage.ru_stime, 3),
        "peak_mib": round(usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10), 1),
    }
    return process.returncode, started, taken


def cpu_seconds() -> float:
    """What this process has computed, user and system, with the processes that it has waited for."""
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def last_line(log: Path) -> str:
    """The last that a process has said."""
    lines = log.read_text(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")


def measured(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a table of runs, if there is one, that have been measured."""
    if path.exists():
        with open(path, newline="") as file:
            yield from (row for row in csv.DictReader(file) if not row["note"])


def write(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Write a table of runs with these columns; what a run does not have is left empty."""
    with whole(path) as part, open(part, "w", newline="") as file:
        table = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def need(path: Path, command: str) -> Path:
    """The path of a file that is made by a command; raises UserError if it is not there."""
    if not path.exists():
        raise UserError(f"{path} is not there; make it first: {command}")
    return path
