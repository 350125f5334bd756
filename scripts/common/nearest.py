"""The nearest rows of a matrix, by all distances, and the distances to some of them.

The products of a block of queries and a block of rows are NumPy's, and a compiled loop keeps the smallest distances of
them while they are in the processor's cache. Blocks of queries are worked on side by side, each by one thread, so that
the result does not depend on how many there are.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from common.compiled import compiled
from common.pieces import fitting, pieces

QUERIES, ROWS = 256, 2048  # of a block, whose products take 2 MB
AT_ONCE = 64  # products are looked at together, first whether any is of interest
RESERVOIR = 64  # at least so many more than are asked for are gathered, before the largest are dropped
ROUNDING = np.float32(1e-5)  # of a squared distance, as a part of the squared lengths
RANKED = 1000  # queries of a block for squared_distances


def side_by_side(work: Callable, tasks: Iterable[Any], threads: int) -> Iterator[Any]:
    """What `work`, which is to release the GIL, makes of each of the tasks, in their order, on so many threads."""
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(threads) as pool:
        yield from pool.map(work, tasks)


@compiled
def _partition(values, ids, count, k):  # noqa: ANN001, ANN202
    """Bring the k smallest of the first `count` values, and their ids, to the front (Hoare 1961, Find)."""
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
def _any_below(products, lengths, limit):  # noqa: ANN001, ANN202
    """Whether any of lengths - 2 products (n,) is below the limit: counted, which is done many at a time."""
    below = np.float32(0)
    for j in range(len(products)):
        below += np.float32(1) if lengths[j] - np.float32(2) * products[j] < limit else np.float32(0)
    return below > 0


@compiled
def _keep_smallest(products, lengths, start, k, which, values, ids, counts, limits):  # noqa: ANN001, ANN202
    """Add to the `counts` values of the queries `which` (j,) those of lengths - 2 products (j, n) below their limits.

    Where they fill a query's row of values and ids (m, more than k), all but the k smallest are dropped, and the
    largest of these is the limit from then on.
    """
    rows, room = products.shape[1], values.shape[1] - AT_ONCE
    for at in range(products.shape[0]):
        i = which[at]
        count, limit = counts[i], limits[i]
        for first in range(0, rows, AT_ONCE):
            last = min(first + AT_ONCE, rows)
            if _any_below(products[at, first:last], lengths[first:last], limit):
                for j in range(first, last):  # without a branch, which would often be guessed wrong
                    value = lengths[j] - np.float32(2) * products[at, j]
                    values[i, count] = value
                    ids[i, count] = start + j
                    count += value < limit
                if count > room:
                    _partition(values[i], ids[i], count, k)
                    count, limit = k, values[i, :k].max()
        counts[i], limits[i] = count, limit


@compiled
def _finish(values, ids, counts, k):  # noqa: ANN001, ANN202
    """Bring each query's k smallest to the front."""
    for i in range(len(counts)):
        _partition(values[i], ids[i], counts[i], k)


class NearestSoFar:
    """The k nearest, to each of some queries, of the rows that it has been compared with."""

    def __init__(self, queries: np.ndarray, k: int, limits: np.ndarray) -> None:
        """Of queries (m, d) float32; rows whose length - 2 product is not below `limits` (m,) are left out."""
        self.queries, self.k, self.limits = queries, k, limits
        shape = (len(queries), k + max(2 * k, RESERVOIR) + AT_ONCE)
        # of distances beyond single precision nothing is kept, and what is read then are rows all the same
        self.values, self.ids = np.full(shape, np.inf, np.float32), np.zeros(shape, np.int32)
        self.counts = np.zeros(len(queries), np.int64)

    def compare(self, which: np.ndarray, rows: np.ndarray, lengths: np.ndarray, start: int) -> None:
        """Compare the queries `which` (j,) int64 with `rows` (n, d), numbered from `start`.

        Their `lengths` (n,) are squared ones, or what is to rank them in the place of these.
        """
        products = self.queries[which] @ rows.T
        _keep_smallest(products, lengths, start, self.k, which, self.values, self.ids, self.counts, self.limits)

    def compare_few(self, rows: np.ndarray, lengths: np.ndarray) -> None:
        """Compare the queries that have kept fewer than k with all `rows` (n, d), whatever their limit was."""
        few = np.flatnonzero(self.counts < self.k)
        self.counts[few], self.limits[few] = 0, np.inf
        for one in few:
            self.compare(np.array([one]), rows, lengths, 0)

    def found(self) -> tuple[np.ndarray, np.ndarray]:
        """The k smallest of lengths - 2 products (m, k) float32, in no order, and their rows' numbers (m, k) int32."""
        _finish(self.values, self.ids, self.counts, self.k)
        return self.values[:, : self.k], self.ids[:, : self.k]


def likely_limits(queries: np.ndarray, rows: np.ndarray, lengths: np.ndarray, k: int) -> np.ndarray:
    """Of each query (m, d), what the k smallest of lengths (n,) - 2 products are in all likelihood below, (m,) float32.

    Judged by the products with some of the rows (n, d): by a rank among them that is four standard deviations above
    what is expected.
    """
    every = min(16, len(rows) // (8 * k))
    if every < 2:
        return np.full(len(queries), np.inf, np.float32)
    rank = math.ceil(k / every + 4 * math.sqrt(k / every))
    return limits_among(queries, rows[::every], lengths[::every], rank)


def limits_among(queries: np.ndarray, rows: np.ndarray, lengths: np.ndarray, rank: int) -> np.ndarray:
    """Of each query (m, d), what `rank` + 1 of lengths (n,) - 2 products with the rows (n, d) are below, (m,) float32.

    Rows that are as far, and in another product may come out a little farther, are below it, too. Infinite, where there
    are not so many rows.
    """
    if len(rows) <= rank:
        return np.full(len(queries), np.inf, np.float32)
    limits = np.partition(lengths - 2 * (queries @ rows.T), rank, axis=1)[:, rank]
    return np.nextafter(limits + ROUNDING * squared_lengths(queries), np.float32(np.inf))


def squared_lengths(rows: np.ndarray) -> np.ndarray:
    """Of each row (n, d), (n,) float32."""
    return np.einsum("ij,ij->i", rows, rows)


def first(k: int, squared: np.ndarray, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The k smallest of each row of `squared` (m, at least k), ascending, and what is at their places in `indices`."""
    order = np.argsort(squared, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(squared, order, axis=1), np.take_along_axis(indices, order, axis=1)


def nearest(queries: np.ndarray, rows: np.ndarray, k: int, threads: int) -> tuple[np.ndarray, np.ndarray]:
    """The k rows (n, d) nearest to each of the queries (m, d), both float32, n at least k.

    Returns squared distances (m, k) float32, ascending, and the rows' numbers (m, k) int32.
    """
    squared, indices = np.empty((len(queries), k), np.float32), np.empty((len(queries), k), np.int32)
    lengths = squared_lengths(rows)

    def search(block: slice) -> None:
        asked = np.ascontiguousarray(queries[block])
        so_far, everyone = NearestSoFar(asked, k, likely_limits(asked, rows, lengths, k)), np.arange(len(asked))
        for some in pieces(len(rows), ROWS):
            so_far.compare(everyone, rows[some], lengths[some], some.start)
        so_far.compare_few(rows, lengths)  # whose limit was too low after all
        values, ids = so_far.found()
        values += squared_lengths(asked)[:, None]
        squared[block], indices[block] = first(k, np.maximum(values, 0, out=values), ids)

    for _ in side_by_side(search, pieces(len(queries), QUERIES), threads):
        pass
    return squared, indices


@compiled
def _add_squared_distances(queries, rows, indices, squared):  # noqa: ANN001, ANN202
    """Add to `squared` (m, c) those of the queries (m, d) to the rows (n, d) at `indices` (m, c)."""
    for i in range(indices.shape[0]):
        for j in range(indices.shape[1]):
            row, total = indices[i, j], np.float32(0)
            for column in range(queries.shape[1]):
                difference = queries[i, column] - rows[row, column]
                total += difference * difference
            squared[i, j] += total


def squared_distances(
    features: np.ndarray, queries: np.ndarray, numbers: np.ndarray, indices: np.ndarray, memory: float, threads: int
) -> np.ndarray:
    """From the rows `numbers` (m,) of `queries` to the rows `indices` (m, c) of `features` (n, d): (m, c) float32.

    Summed over blocks of columns, of which `memory` MB are held at once, so that each is read from the disk in one go.
    """
    squared = np.zeros(indices.shape, np.float32)
    for columns in pieces(features.shape[1], fitting(memory, len(features) + RANKED)):
        held = np.ascontiguousarray(features[:, columns])  # no copy, if it is all columns

        def add(block: slice, held: np.ndarray = held, columns: slice = columns) -> None:
            asked = np.ascontiguousarray(queries[numbers[block], columns])
            _add_squared_distances(asked, held, indices[block], squared[block])

        for _ in side_by_side(add, pieces(len(numbers), RANKED), threads):
            pass
    return squared
