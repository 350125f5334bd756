"""What a job requests, from the size of its input."""

import ast
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

MAGIC = b"\x93NUMPY"  # an .npy file's first bytes


def as_list(paths: str | Sequence[str]) -> list[str]:
    """Return the paths of a file, or of several files together."""
    return [paths] if isinstance(paths, str) else list(paths)


def total_mb(paths: str | Sequence[str]) -> float:
    """Return the size of a file, or of several files together, in MB."""
    return sum(Path(path).stat().st_size for path in as_list(paths)) / 1e6


def count_rows(paths: str | Sequence[str]) -> int:
    """Return the number of rows of an .npy file, or of several together.

    The header is read without NumPy, which the environment of Snakemake need not have. Raises ValueError for another
    file.
    """
    rows = 0
    for path in as_list(paths):
        with open(path, "rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise ValueError(f"{path} is no .npy file.")
            major, _ = file.read(2)
            size = int.from_bytes(file.read(2 if major == 1 else 4), "little")
            rows += ast.literal_eval(file.read(size).decode("latin1"))["shape"][0]
    return rows


def request(base: float, per_row: float = 0, **factors: float | tuple[float, float]) -> Callable[[Any, Any, int], int]:
    """Return a function for `resources`: `base`, plus a factor for each MB of the named inputs; doubled each attempt.

    The unit is MB or minutes. Of an input with a pair (factor, limit), no more than `limit` MB count: the job holds it
    in chunks. `per_row` is added for each row of the input `features`. The numbers in the rules were measured on all of
    MNIST and on a million images, with a margin for slower machines; memory includes 300 MB for Snakemake, which runs
    the job on a cluster's node. docs/resources.md compares them with what jobs use.
    """

    def compute(wildcards: Any, input: Any, attempt: int) -> int:  # Snakemake passes them by these names
        total = base + (per_row * count_rows(input["features"]) if per_row else 0)
        for name, factor in factors.items():
            size = total_mb(input[name])
            total += factor[0] * min(size, factor[1]) if isinstance(factor, tuple) else factor * size
        return int(total * 2 ** (attempt - 1))

    return compute
