"""Chunks of a matrix that may be larger than memory."""

from collections.abc import Iterator


def rows_that_fit(memory_mb: float, width: int) -> int:
    """Return how many rows (or columns) of `width` float32 numbers fit into `memory_mb` megabytes, at least 1."""
    return max(1, int(memory_mb * 1e6 // (4 * max(1, width))))


def chunks(count: int, size: int) -> Iterator[slice]:
    """Yield slices that divide range(count) into chunks of `size`; the last one may be shorter."""
    return (slice(start, min(start + size, count)) for start in range(0, count, size))


def scattered_chunk(count: int, item: str) -> slice:
    """Return the slice of range(count) that belongs to one scattered job, which Snakemake calls "3-of-16"."""
    number, jobs = map(int, item.split("-of-"))
    return slice(count * (number - 1) // jobs, count * number // jobs)
