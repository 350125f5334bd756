"""Exact search for the k nearest rows of a matrix, and distances to given rows.

NumPy multiplies a block of queries by a block of rows; a compiled loop keeps the smallest distances while the products
are in the processor's cache. Each block of queries is the work of one thread, so the result does not depend on the
number of threads.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from common.knn.chunks import chunks, rows_that_fit
from common.numba_setup import compiled

QUERY_BLOCK, ROW_BLOCK = 256, 2048  # rows of the two matrices whose products, 2 MB, are computed at once
PRODUCT_BLOCK = 64  # products that are tested together for whether any is small enough
MIN_RESERVE = 64  # candidates beyond k that are collected, at least, before the largest are dropped
ROUNDING = np.float32(1e-5)  # of a squared distance, relative to the squared norms
RANKING_BLOCK = 1000  # queries of a block in squared_distances


def map_in_threads(function: Callable, tasks: Iterable[Any], threads: int) -> Iterator[Any]:
    """Yield function(task) for each task, in order, computed by several threads; `function` must release the GIL."""
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(threads) as pool:
        yield from pool.map(function, tasks)


@compiled
def _partition(values, ids, count, k):  # noqa: ANN001, ANN202
    """Move the k smallest of the first `count` values, and their ids, to the front (Hoare 1961, Find)."""
    low, high = 0, count - 1
    while low < high:
        pivot, i, j = values[(low + high) // 2], low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                ids[i], ids[j] = ids[j], ids[i]
                i += 1
                j -= 1
        if k - 1 <= j:
            high = j
        elif k - 1 >= i:
            low = i
        else:
            return


@compiled
def _any_below(products, norms, limit):  # noqa: ANN001, ANN202
    """Return whether any of norms - 2 products (n,) is below the limit; counting them lets the compiler vectorize."""
    below = np.float32(0)
    for j in range(len(products)):
        below += np.float32(1) if norms[j] - np.float32(2) * products[j] < limit else np.float32(0)
    return below > 0


@compiled
def _keep_smallest(products, norms, start, k, queries, values, ids, counts, limits):  # noqa: ANN001, ANN202
    """Append those of norms - 2 products (j, n) that are below the limits of the `queries` (j,) to their values.

    When a query's row of values and ids (m, more than k) is full, all but the k smallest are dropped, and the largest
    of these becomes the query's limit.
    """
    rows, room = products.shape[1], values.shape[1] - PRODUCT_BLOCK
    for at in range(products.shape[0]):
        i = queries[at]
        count, limit = counts[i], limits[i]
        for first in range(0, rows, PRODUCT_BLOCK):
            last = min(first + PRODUCT_BLOCK, rows)
            if _any_below(products[at, first:last], norms[first:last], limit):
                for j in range(first, last):  # without a branch, which the processor would often mispredict
                    value = norms[j] - np.float32(2) * products[at, j]
                    values[i, count] = value
                    ids[i, count] = start + j
                    count += value < limit
                if count > room:
                    _partition(values[i], ids[i], count, k)
                    count, limit = k, values[i, :k].max()
        counts[i], limits[i] = count, limit


@compiled
def _move_smallest_to_front(values, ids, counts, k):  # noqa: ANN001, ANN202
    """Move each query's k smallest values to the front."""
    for i in range(len(counts)):
        _partition(values[i], ids[i], counts[i], k)


class RunningNearest:
    """The k nearest rows to each of some queries, among all rows that they have been compared with so far."""

    def __init__(self, queries: np.ndarray, k: int, limits: np.ndarray) -> None:
        """Start with queries (m, d) float32; rows whose norm - 2 product is not below `limits` (m,) are left out."""
        self.queries, self.k, self.limits = queries, k, limits
        shape = (len(queries), k + max(2 * k, MIN_RESERVE) + PRODUCT_BLOCK)
        # Distances beyond single precision are never kept; the ids read in their place are valid rows all the same.
        self.values, self.ids = np.full(shape, np.inf, np.float32), np.zeros(shape, np.int32)
        self.counts = np.zeros(len(queries), np.int64)

    def compare(self, queries: np.ndarray, rows: np.ndarray, norms: np.ndarray, start: int) -> None:
        """Compare the queries numbered `queries` (j,) int64 with `rows` (n, d), which are numbered from `start`.

        `norms` (n,) are the squared norms of the rows, or what replaces them in the ranking.
        """
        products = self.queries[queries] @ rows.T
        _keep_smallest(products, norms, start, self.k, queries, self.values, self.ids, self.counts, self.limits)

    def complete(self, rows: np.ndarray, norms: np.ndarray) -> None:
        """Compare each query that has kept fewer than k rows with all `rows` (n, d), without a limit."""
        short = np.flatnonzero(self.counts < self.k)
        self.counts[short], self.limits[short] = 0, np.inf
        for query in short:
            self.compare(np.array([query]), rows, norms, 0)

    def result(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the k smallest of norm - 2 product (m, k) float32, unordered, and their row numbers (m, k) int32."""
        _move_smallest_to_front(self.values, self.ids, self.counts, self.k)
        return self.values[:, : self.k], self.ids[:, : self.k]


def estimate_limits(queries: np.ndarray, rows: np.ndarray, norms: np.ndarray, k: int) -> np.ndarray:
    """Return, for each query (m, d), a value that its k smallest of norms (n,) - 2 products are most likely below.

    The result is (m,) float32. It is taken from the products with a regular sample of the rows (n, d), at four standard
    deviations above the expected rank.
    """
    step = min(16, len(rows) // (8 * k))
    if step < 2:
        return np.full(len(queries), np.inf, np.float32)
    rank = math.ceil(k / step + 4 * math.sqrt(k / step))
    return limits_at_rank(queries, rows[::step], norms[::step], rank)


def limits_at_rank(queries: np.ndarray, rows: np.ndarray, norms: np.ndarray, rank: int) -> np.ndarray:
    """Return, for each query (m, d), a value that `rank` + 1 of norms (n,) - 2 products with rows (n, d) are below.

    The result is (m,) float32, infinite if there are no more than `rank` rows. It allows for rounding, so that an
    equally distant row is below it even if another order of summation makes it slightly larger.
    """
    if len(rows) <= rank:
        return np.full(len(queries), np.inf, np.float32)
    limits = np.partition(norms - 2 * (queries @ rows.T), rank, axis=1)[:, rank]
    return np.nextafter(limits + ROUNDING * squared_norms(queries), np.float32(np.inf))


def squared_norms(rows: np.ndarray) -> np.ndarray:
    """Return the squared Euclidean norm of each row (n, d), as (n,) float32."""
    return np.einsum("ij,ij->i", rows, rows)


def k_smallest(k: int, values: np.ndarray, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the k smallest of each row of `values` (m, at least k), ascending, and the `indices` at their places."""
    order = np.argsort(values, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(values, order, axis=1), np.take_along_axis(indices, order, axis=1)


def find_nearest(queries: np.ndarray, rows: np.ndarray, k: int, threads: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the k rows (n, d) nearest to each of the queries (m, d), both float32, n at least k.

    The result is squared distances (m, k) float32, ascending, and row numbers (m, k) int32. Products find the rows, and
    differences give the distances: of rows far from the origin, products would give copies a distance.
    """
    squared, indices = np.empty((len(queries), k), np.float32), np.empty((len(queries), k), np.int32)
    norms = squared_norms(rows)

    def search(block: slice) -> None:
        some = np.ascontiguousarray(queries[block])
        nearest, everyone = RunningNearest(some, k, estimate_limits(some, rows, norms, k)), np.arange(len(some))
        for part in chunks(len(rows), ROW_BLOCK):
            nearest.compare(everyone, rows[part], norms[part], part.start)
        nearest.complete(rows, norms)  # queries whose limit was too low
        ids, distances = np.ascontiguousarray(nearest.result()[1]), np.zeros((len(some), k), np.float32)
        _add_squared_distances(some, np.asarray(rows), ids, distances)
        squared[block], indices[block] = k_smallest(k, distances, ids)

    for _ in map_in_threads(search, chunks(len(queries), QUERY_BLOCK), threads):
        pass
    return squared, indices


@compiled
def _add_squared_distances(queries, rows, indices, squared):  # noqa: ANN001, ANN202
    """Add the squared distances of the queries (m, d) to the rows (n, d) at `indices` (m, c) to `squared` (m, c)."""
    for i in range(indices.shape[0]):
        for j in range(indices.shape[1]):
            row, total = indices[i, j], np.float32(0)
            for column in range(queries.shape[1]):
                difference = queries[i, column] - rows[row, column]
                total += difference * difference
            squared[i, j] += total


def squared_distances(
    features: np.ndarray, queries: np.ndarray, numbers: np.ndarray, indices: np.ndarray, memory_mb: float, threads: int
) -> np.ndarray:
    """Return squared distances (m, c) float32 of the rows `numbers` (m,) of `queries` to rows of `features` (n, d).

    `indices` (m, c) are the rows of `features`. They are summed over blocks of columns, of which `memory_mb` megabytes
    are held at once, so that each block is read from the disk once.
    """
    squared = np.zeros(indices.shape, np.float32)
    for columns in chunks(features.shape[1], rows_that_fit(memory_mb, len(features) + RANKING_BLOCK)):
        held = np.ascontiguousarray(features[:, columns])  # no copy if it is all columns

        def add(block: slice, held: np.ndarray = held, columns: slice = columns) -> None:
            some = np.ascontiguousarray(queries[numbers[block], columns])
            _add_squared_distances(some, held, indices[block], squared[block])

        for _ in map_in_threads(add, chunks(len(numbers), RANKING_BLOCK), threads):
            pass
    return squared
