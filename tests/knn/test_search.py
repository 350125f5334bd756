"""The choice between exact and approximate search, and the result of either."""

import logging

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from common.knn import index
from common.knn.index import EXACT_DIMENSIONS, EXACT_ROWS, MIN_RECALL, build_search, search_exactly, search_others
from common.knn.results import recall

SPREAD = 0.0005  # of the recall: the search measures it on 500 rows, a test on all


def brute_force(features, queries, k):
    distances = cdist(queries.astype(np.float64), features.astype(np.float64))
    indices = np.argsort(distances, axis=1)[:, :k]
    return indices, np.take_along_axis(distances, indices, axis=1)


def decaying(n, d, seed=4):
    """Features whose variance decays from column to column, so that a few components find the neighbors."""
    return (np.random.default_rng(seed).normal(size=(n, d)) * np.geomspace(10, 0.1, d)).astype(np.float32)


@pytest.fixture(scope="module")
def wide():
    """Features that are just wide enough for an approximate search, and with the next fixture large enough."""
    return decaying(3001, EXACT_DIMENSIONS + 1)


@pytest.fixture
def low_limit(monkeypatch):
    """Fewer rows than by default are searched by projection."""
    monkeypatch.setattr(index, "EXACT_ROWS", 3000)


@pytest.fixture
def wide_search(wide, low_limit):
    return build_search(wide, 15, seed=0, memory_mb=1000, threads=1)


@pytest.mark.parametrize("memory_mb", [1000, 0.01, 1e-9], ids=["at once", "in chunks", "in chunks of k rows"])
def test_exhaustive_search_gives_the_nearest_rows_also_in_chunks(memory_mb):
    features, queries = decaying(600, 20), decaying(70, 20, seed=5)
    indices, distances = search_exactly(features, queries, 12, memory_mb, threads=1)
    assert indices.shape == (70, 12) and indices.dtype == np.int32 and distances.dtype == np.float32
    expected_indices, expected_distances = brute_force(features, queries, 12)
    assert np.array_equal(indices, expected_indices)
    assert np.allclose(distances, expected_distances, atol=1e-2)


def test_last_chunk_may_have_fewer_than_k_rows():
    features = decaying(25, 5)
    assert np.array_equal(
        search_exactly(features, features, 12, 1e-9, threads=1)[0], brute_force(features, features, 12)[0]
    )


def test_progress_is_logged_for_each_block_of_queries(caplog, monkeypatch):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(index, "PROGRESS_BLOCK", 40)
    search_exactly(decaying(30, 5), decaying(70, 5), 12, 1e-9, threads=1)
    assert [record.getMessage() for record in caplog.records] == [
        f"neighbors of {rows} of 70 rows, among {among} of 30" for among in (12, 24, 30) for rows in (40, 70)
    ]


@pytest.mark.parametrize(
    ("n", "d"), [(300, 20), (EXACT_ROWS, EXACT_DIMENSIONS + 1), (EXACT_ROWS + 1, EXACT_DIMENSIONS)]
)
def test_few_or_narrow_rows_are_searched_exactly(n, d):
    features = decaying(n, d)
    search, facts = build_search(features, 12, seed=0, memory_mb=1000, threads=1)
    assert facts == {"method": "exact", "recall": 1}
    assert np.array_equal(search(features[:50], 12)[0], brute_force(features, features[:50], 12)[0])


def test_many_wide_rows_are_searched_by_projection_and_ranked_by_the_full_distance(wide, wide_search):
    search, facts = wide_search
    assert facts["method"] == "projected" and MIN_RECALL <= facts["recall"] <= 1
    rows = np.arange(0, len(wide), 5)
    indices, distances = search_others(search, wide[rows], rows, 15)
    expected_indices, expected_distances = (part[:, 1:] for part in brute_force(wide, wide[rows], 16))
    assert recall(indices, expected_indices) >= MIN_RECALL - SPREAD
    same = indices == expected_indices  # all but those after one that was missed
    assert same.mean() > 0.98 and np.allclose(distances[same], expected_distances[same], atol=1e-2)
    assert (np.diff(distances) >= 0).all()
    assert not (indices == rows[:, None]).any()


def test_recall_is_measured_on_other_rows_than_the_plan_is_made_on(wide, wide_search, caplog):
    caplog.set_level(logging.INFO)
    _, facts = build_search(wide, 15, seed=0, memory_mb=1000, threads=2)
    assert facts == wide_search[1]
    plans = [message for message in caplog.messages if " components, " in message]
    assert any(message.endswith("on other rows") for message in plans)
    assert plans[-1].endswith(f"recall {facts['recall']:.4f} on other rows")
    assert f"{facts['recall']:.6f}" not in plans[0]


def test_result_does_not_depend_on_the_number_of_threads(wide, wide_search):
    results = [search(wide[:3000], 15) for search in (wide_search[0], build_search(wide, 15, 0, 1000, threads=2)[0])]
    assert np.array_equal(results[0][0], results[1][0]) and np.array_equal(results[0][1], results[1][1])


def test_large_matrix_is_searched_by_projection_by_default():
    _, facts = build_search(decaying(EXACT_ROWS + 1, EXACT_DIMENSIONS + 1), 5, seed=0, memory_mb=1000, threads=2)
    assert EXACT_ROWS == 10_000 and EXACT_DIMENSIONS == 128 and facts["method"] == "projected"


def test_approximate_search_finds_the_same_in_chunks(wide, wide_search):
    search, facts = build_search(wide, 15, seed=0, memory_mb=1, threads=2)
    assert facts["method"] == "projected"
    (indices, distances), (in_chunks, distances_in_chunks) = wide_search[0](wide[:3000], 15), search(wide[:3000], 15)
    # one that is missed moves all that follow
    assert np.isclose(distances, distances_in_chunks, atol=0.05).mean() > 0.99
    assert recall(in_chunks, indices) > 0.998


def test_rows_that_no_projection_can_tell_apart_are_searched_exactly(low_limit, caplog):
    caplog.set_level(logging.INFO)
    features = np.random.default_rng(3).normal(size=(3001, 3 * EXACT_DIMENSIONS)).astype(np.float32)
    search, facts = build_search(features, 15, seed=0, memory_mb=1000, threads=2)
    assert facts == {"method": "exact", "recall": 1}
    assert "recall is below 0.999: searching exactly" in caplog.messages
    assert np.array_equal(search(features[:30], 15)[0], brute_force(features, features[:30], 15)[0])


def test_as_many_neighbors_as_rows_are_refused():
    features = decaying(30, 5)
    assert build_search(features, 29, seed=0, memory_mb=100, threads=1)[1]["method"] == "exact"
    with pytest.raises(ValueError, match="There are 30 rows, and 30 neighbors of each are needed"):
        build_search(features, 30, seed=0, memory_mb=100, threads=1)
