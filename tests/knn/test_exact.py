"""Exact search by products of matrices, against all distances in double precision."""

import threading

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from threadpoolctl import threadpool_info

from common.knn.exact import (
    QUERY_BLOCK,
    RANKING_BLOCK,
    ROW_BLOCK,
    estimate_limits,
    find_nearest,
    k_smallest,
    limits_at_rank,
    map_in_threads,
    squared_distances,
    squared_norms,
)


def all_squared(queries, rows):
    return cdist(queries.astype(np.float64), rows.astype(np.float64), "sqeuclidean")


def normal(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize(
    ("m", "n", "k"),
    [
        (0, 5, 2),
        (1, 1, 1),
        (3, 5, 5),
        (10, 300, 1),
        (QUERY_BLOCK + 3, ROW_BLOCK + 7, 90),
        (40, 3 * ROW_BLOCK, 20),
        (7, 4 * ROW_BLOCK, 182),
        (300, 900, 2),
    ],
)
def test_nearest_rows_are_those_of_all_distances(m, n, k):
    queries, rows = normal(1, m, 12), normal(2, n, 12)
    squared, indices = find_nearest(queries, rows, k, threads=2)
    assert squared.shape == indices.shape == (m, k)
    assert squared.dtype == np.float32 and indices.dtype == np.int32
    expected = all_squared(queries, rows)
    assert np.allclose(squared, np.sort(expected, axis=1)[:, :k], rtol=1e-4, atol=1e-4)
    assert np.allclose(squared, np.take_along_axis(expected, indices, axis=1), rtol=1e-4, atol=1e-4)
    assert (np.diff(squared, axis=1) >= 0).all()
    assert all(len(set(row)) == k for row in indices.tolist())


@pytest.mark.parametrize("order", ["far first", "near first", "all at one distance but a few"])
def test_order_of_the_rows_does_not_matter(order):
    queries, k = normal(3, 5, 6), 25
    rows = normal(4, 2 * ROW_BLOCK, 6)
    if order == "all at one distance but a few":
        rows[:-12], rows[-12:] = 3 * rows[:1], rows[-12:] / 10
    else:
        by_distance = np.argsort(all_squared(queries[:1], rows)[0])
        rows = rows[by_distance[::-1] if order == "far first" else by_distance]
    squared, _ = find_nearest(queries, rows, k, threads=1)
    assert np.allclose(squared, np.sort(all_squared(queries, rows), axis=1)[:, :k], rtol=1e-4, atol=1e-4)


def test_rows_nearer_than_the_sampled_limit_suggests_are_found():
    n, k = 6400, 30
    rows = np.full((n, 2), 100, np.float32) + normal(5, n, 2)
    rows[::16] = normal(5, n // 16, 2) / 100  # the sample, from which the limit is estimated
    rows[16 * 12 :: 16] += 50  # a dozen of them are near, so that fewer than k rows are below the limit
    squared, indices = find_nearest(rows[:1], rows, k, threads=1)
    assert np.allclose(squared, np.sort(all_squared(rows[:1], rows), axis=1)[:, :k], rtol=1e-3, atol=1e-3)
    assert len(set(indices[0].tolist())) == k


def test_all_copies_of_a_row_are_found():
    rows = np.repeat(normal(6, 300, 20), 12, axis=0)
    squared, indices = find_nearest(rows[::12], rows, 12, threads=2)
    assert np.array_equal(np.sort(indices), np.arange(3600).reshape(300, 12))
    assert (squared == 0).all()


def test_distances_of_rows_far_from_the_origin_are_exact():
    rows = 1000 + normal(17, 400, 50)
    rows[200:210] = rows[:10]
    squared, indices = find_nearest(rows, rows, 3, threads=1)
    expected = np.take_along_axis(all_squared(rows, rows), indices, axis=1)
    assert np.allclose(squared, expected, rtol=1e-5, atol=0)
    assert (squared[:10, :2] == 0).all() and (squared[10:200, 1] > 0).all()


def test_rows_beyond_single_precision_do_no_harm():
    rows = np.full((ROW_BLOCK + 1, 4), 1e25, np.float32)
    _, indices = find_nearest(rows[:3], rows, 30, threads=1)
    assert (indices >= 0).all() and (indices <= ROW_BLOCK).all()


def test_result_does_not_depend_on_the_number_of_threads():
    queries, rows = normal(7, 3 * QUERY_BLOCK, 30), normal(8, 2 * ROW_BLOCK, 30)
    for one, three in zip(find_nearest(queries, rows, 20, 1), find_nearest(queries, rows, 20, 3), strict=True):
        assert np.array_equal(one, three)


def test_tasks_run_side_by_side_in_order_and_each_on_one_core():
    together = threading.Barrier(2, timeout=20)

    def work(task):
        together.wait()
        return task, [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]

    results = list(map_in_threads(work, range(6), threads=2))
    assert [task for task, _ in results] == list(range(6))
    assert {number for _, numbers in results for number in numbers} == {1}


@pytest.mark.parametrize("scale", [0, 1, 1000])
def test_limit_lets_equally_distant_rows_pass(scale):
    rows = np.repeat(normal(12, 3, 40), 2000, axis=0) * np.float32(scale)
    norms, queries = squared_norms(rows), rows[:: QUERY_BLOCK // 2]
    limits = estimate_limits(queries, rows, norms, 90)[:, None]
    for columns in (slice(None), slice(None, None, -1)):  # summed in two orders, with different rounding
        below = norms - 2 * (queries[:, columns] @ rows[:, columns].T) < limits
        assert (below.sum(axis=1) >= 90).all()


@pytest.mark.parametrize(("n", "k", "most"), [(16 * 8 * 20, 20, 6), (200 * 20, 20, 6), (2 * 8 * 90, 90, 2.2)])
def test_estimated_limit_is_above_the_k_smallest_and_not_far_above(n, k, most):
    queries, rows = normal(13, 300, 10), normal(14, n, 10)
    norms = squared_norms(rows)
    below = (norms - 2 * (queries @ rows.T) < estimate_limits(queries, rows, norms, k)[:, None]).sum(axis=1)
    assert below.min() >= k and below.mean() < most * k


def test_nothing_is_estimated_from_few_rows():
    queries, rows = normal(13, 5, 10), normal(14, 320, 10)
    norms = squared_norms(rows)
    assert np.isfinite(estimate_limits(queries, rows, norms, 20)).all()
    assert np.isposinf(estimate_limits(queries, rows[:-1], norms[:-1], 20)).all()


def test_limit_at_a_rank_is_just_above_the_value_of_this_rank():
    queries, rows = normal(15, 30, 10), normal(16, 400, 10)
    norms = squared_norms(rows)
    limits, values = limits_at_rank(queries, rows, norms, 7), norms - 2 * (queries @ rows.T)
    assert limits.dtype == np.float32
    assert np.allclose(limits, np.sort(values, axis=1)[:, 7], atol=1e-3)
    assert ((values < limits[:, None]).sum(axis=1) >= 8).all()
    assert np.isposinf(limits_at_rank(queries, rows[:7], norms[:7], 7)).all()
    assert np.isfinite(limits_at_rank(queries, rows[:8], norms[:8], 7)).all()


def test_smallest_values_come_with_their_indices():
    values, indices = np.array([[3, 1, 2, 1], [0, 5, 4, 9]]), np.array([[7, 8, 9, 6], [1, 2, 3, 4]])
    smallest, at = k_smallest(3, values, indices)
    assert smallest.tolist() == [[1, 1, 2], [0, 4, 5]] and at.tolist() == [[8, 6, 9], [1, 3, 2]]


@pytest.mark.parametrize("memory_mb", [1000, 0.05])
def test_squared_distances_to_some_rows(memory_mb):
    features, queries = normal(9, 500, 60), normal(10, RANKING_BLOCK + 300, 60)
    numbers = np.arange(RANKING_BLOCK + 300)[::-1]
    indices = np.random.default_rng(11).integers(0, 500, (len(numbers), 5)).astype(np.int32)
    squared = squared_distances(features, queries, numbers, indices, memory_mb, threads=2)
    expected = ((queries[numbers][:, None].astype(np.float64) - features[indices]) ** 2).sum(axis=2)
    assert squared.dtype == np.float32 and np.allclose(squared, expected, rtol=1e-5)
