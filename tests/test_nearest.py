"""The nearest rows by products of matrices, against all distances in double precision."""

import numpy as np
import pytest

from common.knn.exact import QUERIES, RANKED, ROWS, likely_limits, nearest, squared_distances, squared_lengths


def all_squared(queries, rows):
    return ((queries[:, None].astype(np.float64) - rows) ** 2).sum(axis=2)


def normal(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize(
    ("m", "n", "k"),
    [(1, 1, 1), (3, 5, 5), (10, 300, 1), (QUERIES + 3, ROWS + 7, 90), (40, 3 * ROWS, 20), (7, 4 * ROWS, 182)],
)
def test_nearest_are_those_of_all_distances(m, n, k):
    queries, rows = normal(1, m, 12), normal(2, n, 12)
    squared, indices = nearest(queries, rows, k, threads=2)
    assert squared.shape == indices.shape == (m, k)
    assert squared.dtype == np.float32 and indices.dtype == np.int32
    true = all_squared(queries, rows)
    assert np.allclose(squared, np.sort(true, axis=1)[:, :k], rtol=1e-4, atol=1e-4)
    assert np.allclose(squared, np.take_along_axis(true, indices, axis=1), rtol=1e-4, atol=1e-4)
    assert all(len(set(row)) == k for row in indices.tolist())


def test_rows_that_are_no_sample_of_the_rest():
    n, k = 6400, 30
    rows = np.full((n, 2), 100, np.float32) + normal(5, n, 2)
    rows[::16] = normal(5, n // 16, 2) / 100  # of which the limit is guessed
    rows[16 * 12 :: 16] += 50  # so that the limit is one of a dozen, and fewer than k are below it
    squared, _ = nearest(rows[:1], rows, k, threads=1)
    assert np.allclose(squared, np.sort(all_squared(rows[:1], rows), axis=1)[:, :k], rtol=1e-3, atol=1e-3)


def test_copies_are_all_found():
    rows = np.repeat(normal(6, 300, 20), 12, axis=0)
    squared, indices = nearest(rows[::12], rows, 12, threads=2)
    assert np.array_equal(np.sort(indices), np.arange(3600).reshape(300, 12))
    assert (squared < 1e-4).all()


@pytest.mark.parametrize("scale", [0, 1, 1000])
def test_limit_lets_rows_pass_that_are_as_far_as_it(scale):
    rows = np.repeat(normal(12, 3, 40), 2000, axis=0) * np.float32(scale)
    lengths, queries = squared_lengths(rows), rows[:: QUERIES // 2]
    below = lengths - 2 * (queries @ rows.T) < likely_limits(queries, rows, lengths, 90)[:, None]
    assert (below.sum(axis=1) >= 90).all()


def test_rows_beyond_single_precision_do_no_harm():
    rows = np.full((ROWS + 1, 4), 1e25, np.float32)
    _, indices = nearest(rows[:3], rows, 30, threads=1)
    assert (indices >= 0).all() and (indices <= ROWS).all()


def test_the_same_with_any_number_of_threads():
    queries, rows = normal(7, 3 * QUERIES, 30), normal(8, 2 * ROWS, 30)
    for a, b in zip(nearest(queries, rows, 20, 1), nearest(queries, rows, 20, 3), strict=True):
        assert np.array_equal(a, b)


@pytest.mark.parametrize("memory", [1000, 0.05])
def test_squared_distances_to_some_rows(memory):
    features, queries = normal(9, 500, 60), normal(10, RANKED + 300, 60)
    numbers = np.arange(RANKED + 300)[::-1]
    indices = np.random.default_rng(11).integers(0, 500, (len(numbers), 5)).astype(np.int32)
    squared = squared_distances(features, queries, numbers, indices, memory, threads=2)
    true = ((queries[numbers][:, None].astype(np.float64) - features[indices]) ** 2).sum(axis=2)
    assert squared.dtype == np.float32 and np.allclose(squared, true, rtol=1e-5)
