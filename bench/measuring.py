"""Measurements of processes, and the table in which they are stored one by one.

This module does not import NumPy, and neither do the scripts that start the runs: Linux counts the memory of the
starting process to the peak memory of the process that it starts.
"""

import csv
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from common.errors import UserError
from common.files import atomic_write

SHARED = ("numpy", "scipy", "scikit-learn")
OURS = ("openTSNE", "numba", *SHARED)  # packages that this workflow's t-SNE computes with


def limit_cores(threads: int) -> None:
    """Limit the cores of this process and of those that it starts: oneDAL uses all that it sees. Linux only."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def limit_threads(threads: int) -> dict[str, str]:
    """Return the environment of a process that is to compute with this number of threads."""
    libraries = ("OMP", "OPENBLAS", "MKL", "NUMBA", "RAYON")
    return os.environ | {f"{library}_NUM_THREADS": f"{threads}" for library in libraries}


def rotate(names: Sequence[str], rounds: int) -> Iterator[tuple[int, str]]:
    """Yield the number of the round, from 0, and a name: all names in each round, another one first in each."""
    for turn in range(rounds):
        shift = turn % len(names)
        for name in (*names[shift:], *names[:shift]):
            yield turn, name


def machine() -> dict[str, Any]:
    """Return the processor's model, and the number of cores."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return {"processor": models[0] if models else platform.machine(), "cores": os.cpu_count()}


def measure(command: Sequence[str], log: Path, threads: int) -> tuple[int, float, dict[str, float]]:
    """Run a command; return its exit status, its start in seconds of time.monotonic, and what it used.

    The latter is its wall-clock time, its CPU time with that of the processes that it has waited for, both in seconds,
    and its peak memory or that of the largest of these, in MiB. Its output goes to the file `log`.
    """
    with open(log, "w") as output:
        started = time.monotonic()
        process = subprocess.Popen(command, stdout=output, stderr=output, env=limit_threads(threads))
        _, status, usage = os.wait4(process.pid, 0)
        ended = time.monotonic()
    process.returncode = os.waitstatus_to_exitcode(status)  # otherwise Popen would wait for it again
    used = {
        "process_seconds": round(ended - started, 3),
        "process_cpu_seconds": round(usage.ru_utime + usage.ru_stime, 3),
        "peak_mib": round(usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10), 1),
    }
    return process.returncode, started, used


def cpu_seconds() -> float:
    """Return the CPU time of this process and of those that it has waited for, user and system, in seconds."""
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def read_last_line(log: Path) -> str:
    """Return the last line of a log that is not empty."""
    lines = log.read_text(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "no output")


def write_table(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows as a table with these columns, atomically; missing values are left empty."""
    with atomic_write(path) as part, open(part, "w", newline="") as file:
        table = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def read_table(path: Path) -> list[dict[str, str]]:
    """Return the rows of a table; none if it does not exist."""
    if not path.exists():
        return []
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def require_file(path: Path, command: str) -> Path:
    """Return the path of a file that a command writes; raises UserError if the file does not exist."""
    if not path.exists():
        raise UserError(f"{path} does not exist. Run this command first: {command}")
    return path


class Runs:
    """The runs of a benchmark, one row each, stored in a file one by one, so that it can be interrupted."""

    def __init__(self, path: Path, columns: Sequence[str], key: Sequence[str]) -> None:
        """Start with the measured rows in the file at `path`, if it exists; the columns `key` identify a row."""
        self.path, self.columns, self.key = path, columns, key
        self.rows: list[dict[str, Any]] = []
        self.stored = {self.key_of(row): row for row in read_table(path) if not row["note"]}

    def key_of(self, row: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the values that identify a row."""
        return tuple(str(row[column]) for column in self.key)

    def add(self, known: dict[str, Any], run: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Store and return the next row: the stored one if there is one, else `known` with the results of `run`."""
        self.rows.append(self.stored.pop(self.key_of(known), None) or known | run())
        write_table(self.path, self.columns, [*self.rows, *self.stored.values()])
        return self.rows[-1]

    def finish(self) -> list[dict[str, Any]]:
        """Return all rows and remove their file; raises UserError if nothing was measured."""
        if all(row.get("note") for row in self.rows):
            raise UserError(f"Nothing could be measured. Read why in {self.path.parent}/*.log.")
        self.path.unlink()
        return self.rows
