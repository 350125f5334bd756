"""The index of the approximate search: its cells, its candidates and its plans."""

import logging
import math
from functools import partial

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from common.knn.index import (
    DEPTHS,
    EXACT_DIMENSIONS,
    FULL_RECALL,
    GOOD_RECALL,
    MIN_RECALL,
    Plan,
    ProjectedSearch,
    assign_cells,
    find_cells,
    make_plans,
    search_exactly,
    search_others,
)
from common.knn.pca import project, project_and_measure
from common.knn.results import drop_self, recall

SPREAD = 0.0005  # of the recall: a plan is made on a sample, a test measures it on all rows


def clustered(n, d, spread=40, seed=9):
    """Rows in twelve clusters, this far apart."""
    generator = np.random.default_rng(seed)
    centers = spread * generator.normal(size=(12, d))
    return (generator.normal(size=(n, 30)) @ generator.normal(size=(30, d)) + centers[np.arange(n) % 12]).astype("f4")


@pytest.fixture(scope="module")
def features():
    generator = np.random.default_rng(2)
    return (generator.normal(size=(4000, 80)) * np.geomspace(10, 0.5, 80)).astype(np.float32)


@pytest.fixture(scope="module")
def search(features):
    return ProjectedSearch(features, seed=0, memory_mb=1000, threads=1)


@pytest.fixture(scope="module")
def nearest(features):
    """The eleven nearest rows of each row, itself first."""
    return np.argsort(cdist(features, features), axis=1)[:, :11]


def test_every_row_is_in_the_cell_with_the_nearest_center(search):
    assert len(search.centers) == 4 * math.isqrt(4000) and search.centers.shape[1] == 64
    assert np.array_equal(np.sort(search.order), np.arange(4000))
    distances = cdist(search.projected[:, :64], search.centers)
    cells = np.repeat(np.arange(len(search.centers)), np.diff(search.bounds))
    assert np.array_equal(cells, search.cells[search.order])
    assert np.allclose(distances[np.arange(4000), cells], distances.min(axis=1), atol=1e-2)


def test_successive_cells_are_nearer_to_each_other_than_any_two(search):
    steps = np.linalg.norm(np.diff(search.centers, axis=0), axis=1)
    assert steps.mean() < 0.9 * cdist(search.centers, search.centers).mean()


def test_centers_are_of_a_random_sample_and_the_same_again():
    rows = np.repeat(np.eye(4, dtype=np.float32), 500, axis=0)
    centers = find_cells(rows, 20, 10, seed=0)
    assert np.array_equal(centers, find_cells(rows, 20, 10, seed=0))
    assert len(np.unique(centers.round(3), axis=0)) == 4, "rows of every kind are in the sample"


def test_rows_are_assigned_to_the_nearest_center():
    generator = np.random.default_rng(1)
    centers, rows = generator.normal(size=(7, 3)).astype("f4"), generator.normal(size=(100, 3)).astype("f4")
    assert np.array_equal(assign_cells(centers, rows, threads=1), cdist(rows, centers).argmin(axis=1))


def test_norms_are_distances_to_the_mean(features, monkeypatch):
    mean = features.mean(axis=0)
    components = np.eye(features.shape[1], dtype=np.float32)[:5]
    for block_mb in (100, 0.1):
        monkeypatch.setattr("common.knn.pca.BLOCK_MB", block_mb)
        projected, norms = project_and_measure(features, mean, components)
        assert np.allclose(norms, ((features - mean) ** 2).sum(axis=1), rtol=1e-4)
        assert np.array_equal(projected, project(features, mean, components))
        assert np.allclose(projected, (features - mean)[:, :5], atol=1e-4)


def test_known_neighbors_are_those_that_the_search_finds(features, search, nearest):
    rows = np.arange(0, 4000, 13)
    exact = nearest[rows][:, 1:]
    shares = []
    for plan in (Plan(8, 1, 20), Plan(64, 2, len(search.centers))):
        indices, _ = search_others(partial(search, plan=plan), features[rows], rows, exact.shape[1])
        expected = (exact[:, :, None] == indices[:, None]).any(axis=2)
        assert np.array_equal(search.find_known(rows, exact, plan), expected)
        shares.append(expected.mean())
    assert shares[0] < 0.9 < 0.99 < shares[1]


def test_index_does_not_depend_on_the_memory():
    features = np.random.default_rng(9).normal(size=(2000, 300)).astype(np.float32)
    at_once, in_chunks = (ProjectedSearch(features, seed=0, memory_mb=memory, threads=1) for memory in (1000, 0.1))
    for name in ("projected", "centers", "order", "norms"):
        assert np.array_equal(getattr(at_once, name), getattr(in_chunks, name)), name


def test_search_of_all_cells_finds_nearly_all_neighbors_with_their_distances(features, search, nearest):
    indices, distances = search(features, 11, Plan(64, 2, len(search.centers)))
    assert indices.dtype == np.int32 and distances.dtype == np.float32
    assert recall(indices, nearest) > 0.999
    expected = np.linalg.norm(features[:, None] - features[indices], axis=2)
    assert np.allclose(distances, expected, rtol=1e-3, atol=1e-2) and (np.diff(distances) >= 0).all()


def test_recall_grows_with_components_candidates_and_cells(features, search, nearest):
    def found(*plan):
        return recall(search(features[:500], 11, Plan(*plan))[0], nearest[:500])

    every = len(search.centers)
    assert found(4, 1, every) < found(4, 4, every) < found(20, 4, every) < found(64, 4, every)
    assert found(64, 2, 8) < found(64, 2, 30) < found(64, 2, every)


@pytest.mark.parametrize(("count", "visits"), [(10, 30), (10, 100), (40, 1)])
def test_only_the_nearest_cells_are_searched(search, count, visits):
    queries = search.projected[::20]
    candidates = search.find_candidates(queries, count, Plan(64, 2, visits))
    order = np.argsort(cdist(queries[:, :64], search.centers), axis=1)
    ranks = np.take_along_axis(np.argsort(order, axis=1), search.cells[candidates], axis=1)
    least = math.ceil(4 * count / 4000 * len(search.centers))  # the number that is searched in any case
    assert ranks.max() < max(visits, least) and ranks.max() >= visits / 2


def test_norm_that_the_projection_omits_improves_the_ranking(features, search, nearest):
    """The candidates of a projection to few components, ranked with and without what is omitted."""
    plan = Plan(12, 1, len(search.centers))
    places = np.argsort(search.order)
    candidates = search.find_candidates(search.projected[places[:500]], 11, plan)
    plain = cdist(search.projected[places[:500], :12], search.projected[places, :12]).argsort(axis=1)[:, :11]
    assert recall(candidates, nearest[:500]) > recall(plain, nearest[:500]) + 0.005


def test_neighbor_is_found_from_the_number_of_cells_that_it_needs(features, search, nearest):
    rows = np.arange(0, 4000, 79)
    needed = search.visits_needed(rows, nearest[rows, 1:])
    assert needed.shape == (len(rows), 10) and needed.min() == 1 and needed.max() <= len(search.centers)
    checked = 0
    for row, last in zip(rows, needed.argmax(axis=1), strict=True):
        neighbor, visits = nearest[row, 1 + last], needed.max(axis=1)[rows == row][0]
        if visits > 10:  # the number that is searched in any case
            for fewer, is_found in (0, True), (1, False):
                found, _ = search(features[row : row + 1], 11, Plan(64, 3, visits - fewer))
                assert (neighbor in found) == is_found
            checked += 1
    assert checked > 10


def test_queries_whose_cells_are_nearly_empty_are_compared_with_all_rows():
    generator = np.random.default_rng(10)
    features = generator.normal(size=(3000, EXACT_DIMENSIONS + 2)).astype(np.float32)
    features[::20] *= 1000  # each of these is alone in its cell
    search = ProjectedSearch(features, seed=0, memory_mb=1000, threads=2)
    for queries in (search.projected, search.projected[search.order % 20 == 0][:1]):
        candidates = search.find_candidates(queries, 40, Plan(64, 2, visits=1))
        assert all(len(set(row)) == 40 for row in candidates.tolist())


def test_progress_is_logged_after_each_ten_thousand_queries(search, caplog):
    caplog.set_level(logging.INFO)
    search.find_candidates(np.resize(search.projected, (21_000, 80)), 5, Plan(4, 2, visits=1))
    assert caplog.messages == ["candidates of 10240 of 21000 rows", "candidates of 20480 of 21000 rows"]


@pytest.mark.parametrize(("spread", "least", "most"), [(40, 0, 1 / 4), (0, 1 / 3, 1)])
def test_plan_searches_few_cells_where_rows_are_in_clusters_and_most_where_not(spread, least, most):
    features = clustered(6000, 150, spread)
    search, sample = ProjectedSearch(features, seed=0, memory_mb=1000, threads=1), np.arange(0, 6000, 5)
    expected = search_exactly(features, features, 16, memory_mb=1000, threads=1)[0]
    plan, *more, all_cells = make_plans(search, sample, drop_self(expected[sample], expected[sample], sample)[0])
    assert plan == all_cells._replace(visits=plan.visits) and all_cells.visits == len(search.centers)
    assert all(other.visits == 2 * plan.visits < all_cells.visits for other in more), "the next one, if recall is low"
    assert least <= plan.visits / len(search.centers) <= most
    assert recall(search(features, 16, plan)[0], expected) >= MIN_RECALL - SPREAD


def test_plan_has_no_more_cells_than_a_good_recall_needs():
    features = clustered(6000, 150, 3)
    search, sample = ProjectedSearch(features, seed=0, memory_mb=1000, threads=1), np.arange(0, 6000, 5)
    exact = search_others(
        lambda queries, k: search_exactly(features, queries, k, 1000, 1), features[sample], sample, 15
    )[0]
    plan, *_ = make_plans(search, sample, exact)

    def found(visits):
        searched = search_others(
            lambda queries, k: search(queries, k, plan._replace(visits=visits)), features[sample], sample, 15
        )
        return recall(searched[0], exact)

    assert found(plan.visits) >= GOOD_RECALL > found(plan.visits - 1)


@pytest.mark.parametrize(("decay", "plans"), [(1000, {(64, 2)}), (100, {(96, 2)}), (1.4, {(192, 4)})])
def test_plan_has_the_first_depth_that_reaches_the_full_recall_or_the_last(decay, plans, caplog):
    caplog.set_level(logging.INFO)
    generator = np.random.default_rng(1)
    features = (generator.normal(size=(1200, 250)) * np.geomspace(decay, 1, 250)).astype(np.float32)
    search, sample = ProjectedSearch(features, seed=0, memory_mb=1000, threads=1), np.arange(0, 1200, 6)
    made = make_plans(search, sample, np.argsort(cdist(features[sample], features), axis=1)[:, 1:11])
    assert {(plan.dimensions, plan.candidates) for plan in made} == plans
    assert made[-1].visits == len(search.centers)
    *short, last = [float(message.split("recall ")[1]) for message in caplog.messages]
    assert max(short, default=0) < FULL_RECALL and (last >= FULL_RECALL or len(short) == len(DEPTHS) - 1)
