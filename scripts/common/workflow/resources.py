"""What a job requests, from the size of its input."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any


def total_mb(paths: str | Sequence[str]) -> float:
    """Return the size of a file, or of several files together, in MB."""
    return sum(Path(path).stat().st_size for path in ([paths] if isinstance(paths, str) else paths)) / 1e6


def request(base: float, limit_mb: float = math.inf, **factors: float) -> Callable[[Any, Any, int], int]:
    """Return a function for `resources`: `base`, plus a factor for each MB of the named inputs; doubled each attempt.

    The unit is MB or minutes. `limit_mb` is the size up to which an input counts, if the job holds it in chunks. The
    numbers in the rules were measured on all of MNIST, with a margin for slower machines; memory includes 300 MB for
    Snakemake, which runs the job on a cluster's node. docs/resources.md compares them with what jobs use.
    """

    def compute(wildcards: Any, input: Any, attempt: int) -> int:  # Snakemake passes them by these names
        sizes = {name: min(total_mb(input[name]), limit_mb) for name in factors}
        return int((base + sum(factors[name] * size for name, size in sizes.items())) * 2 ** (attempt - 1))

    return compute
