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
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from common.errors import UserError
from common.files import atomic_write

SHARED = ("numpy", "scipy", "scikit-learn")
OURS = ("openTSNE", "numba", *SHARED)  # packages that this workflow's t-SNE computes with


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


def write(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Write a table of runs with these columns; what a run does not have is left empty."""
    with atomic_write(path) as part, open(part, "w", newline="") as file:
        table = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def need(path: Path, command: str) -> Path:
    """The path of a file that is made by a command; raises UserError if it is not there."""
    if not path.exists():
        raise UserError(f"{path} is not there; make it first: {command}")
    return path


class Runs:
    """The runs of a benchmark, a row each, kept in a file as they come: one that was interrupted goes on from there."""

    def __init__(self, path: Path, columns: Sequence[str], key: Sequence[str]) -> None:
        """With the measured ones in the file at `path`, if there is one; the columns of `key` tell them apart."""
        self.path, self.columns, self.key = path, columns, key
        self.rows: list[dict[str, Any]] = []
        self.before = {}
        if path.exists():
            with open(path, newline="") as file:
                self.before = {self.key_of(row): row for row in csv.DictReader(file) if not row["note"]}

    def key_of(self, row: Mapping[str, Any]) -> tuple[str, ...]:
        """What tells a row from all others."""
        return tuple(str(row[column]) for column in self.key)

    def row(self, facts: dict[str, Any], run: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The next row: what is known before, `facts`, and what the `run` finds, unless it was measured before."""
        self.rows.append(self.before.pop(self.key_of(facts), None) or facts | run())
        write(self.path, self.columns, [*self.rows, *self.before.values()])
        return self.rows[-1]

    def finish(self) -> list[dict[str, Any]]:
        """All rows, whose file is not needed any more; raises UserError if nothing was measured."""
        if all(row.get("note") for row in self.rows):
            raise UserError(f"nothing could be measured; {self.path.parent}/*.log say why")
        self.path.unlink()
        return self.rows
