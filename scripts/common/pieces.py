"""Pieces of a matrix that may be larger than memory."""

from collections.abc import Iterator


def fitting(memory: float, width: int) -> int:
    """How many rows (or columns) of `width` float32 numbers fit into `memory` MB, at least one."""
    return max(1, int(memory * 1e6 // (4 * max(1, width))))


def pieces(count: int, size: int) -> Iterator[slice]:
    """Slices that cut `count` rows (or columns) into pieces of `size`, the last of what is left."""
    return (slice(start, min(start + size, count)) for start in range(0, count, size))


def share(count: int, item: str) -> slice:
    """Which of `count` rows are those of a scattered job, which Snakemake calls, for example, 3-of-16."""
    number, jobs = map(int, item.split("-of-"))
    return slice(count * (number - 1) // jobs, count * number // jobs)
