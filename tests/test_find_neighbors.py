"""The neighbor search against brute force."""

import os
import subprocess
import sys
from functools import partial

import find_neighbors as script
import numpy as np
import pytest

from common.errors import UserError
from common.knn.index import (
    EXACT_DIMENSIONS,
    EXACT_ROWS,
    MIN_RECALL,
    Plan,
    ProjectedSearch,
    plan_search,
    recall,
    search_exactly,
    search_others,
)
from common.knn.results import drop_self
from helpers import ROOT

SPREAD = 0.0005  # of a recall that is judged by 500 rows and their 15 neighbors, in all rows


def brute_force(features, rows, k):
    distances = np.linalg.norm(features[rows][:, None].astype(np.float64) - features, axis=2)
    distances[np.arange(len(rows)), rows] = np.inf
    indices = np.argsort(distances, axis=1)[:, :k]
    return indices, np.take_along_axis(distances, indices, axis=1)


def find_neighbors(features, k, threads=1):
    """The rows' own neighbors."""
    return script.find_neighbors(features, features[:0], k, 0, 1000, threads)[0]


def test_few_rows_are_searched_exactly():
    features = np.random.default_rng(1).normal(size=(300, 20)).astype(np.float32)
    found = find_neighbors(features, 12)
    indices, distances = brute_force(features, np.arange(300), 12)
    assert found["method"] == "exact" and found["recall"] == 1
    assert found["indices"].dtype == np.int32 and found["distances"].dtype == np.float32
    assert np.array_equal(found["indices"], indices)
    assert np.allclose(found["distances"], distances, atol=1e-3)


def test_many_wide_rows_are_searched_by_projection_and_ranked_by_their_full_distance():
    generator = np.random.default_rng(2)
    n, d = EXACT_ROWS + 500, EXACT_DIMENSIONS + 44
    features = generator.normal(size=(n, 20)) @ generator.normal(size=(20, d)) + 0.5 * generator.normal(size=(n, d))
    features = features.astype(np.float32)
    found = find_neighbors(features, 15)
    assert found["method"] == "projected" and MIN_RECALL <= found["recall"] <= 1
    true = search_others(partial(search_exactly, features, memory=1000, threads=2), features, np.arange(n), 15)[0]
    assert recall(found["indices"], true) >= MIN_RECALL - SPREAD
    rows = np.arange(0, n, 211)
    indices, distances = brute_force(features, rows, 15)
    alike = found["indices"][rows] == indices  # all but those after one that was missed
    assert alike.mean() > 0.98 and np.allclose(found["distances"][rows][alike], distances[alike], atol=1e-2)
    assert (np.diff(found["distances"]) >= 0).all()
    assert not (found["indices"] == np.arange(n)[:, None]).any()


@pytest.mark.parametrize(("spread", "least", "most"), [(40, 0, 1 / 4), (0, 1 / 3, 1)])
def test_rows_in_clusters_are_searched_in_the_cells_about_them_and_others_in_most(spread, least, most):
    generator = np.random.default_rng(9)
    n, d = EXACT_ROWS + 2000, EXACT_DIMENSIONS + 72
    centers = spread * generator.normal(size=(12, d))
    features = generator.normal(size=(n, 30)) @ generator.normal(size=(30, d)) + centers[np.arange(n) % 12]
    features = features.astype(np.float32)
    search, sample = ProjectedSearch(features, seed=0, memory=1000, threads=2), np.arange(0, n, 20)
    true = search_exactly(features, features, 16, memory=1000, threads=2)[0]
    plan = plan_search(search, sample, drop_self(true[sample], true[sample], sample)[0])[0]
    assert least <= plan.visits / len(search.centers) <= most
    assert recall(search(features, 16, plan)[0], true) >= MIN_RECALL - SPREAD


def test_queries_whose_cells_are_nearly_empty_are_compared_with_all_rows():
    generator = np.random.default_rng(10)
    features = generator.normal(size=(EXACT_ROWS, EXACT_DIMENSIONS + 2)).astype(np.float32)
    features[::20] *= 1000  # each of these alone in its cell
    search = ProjectedSearch(features, seed=0, memory=1000, threads=2)
    for queries in (search.projected, search.projected[search.order % 20 == 0][:1]):
        near = search.candidates(queries, 40, Plan(64, 2, visits=1))
        assert all(len(set(row)) == 40 for row in near.tolist())


def test_what_no_projection_can_find_is_searched_exactly():
    features = np.random.default_rng(3).normal(size=(EXACT_ROWS + 1, 3 * EXACT_DIMENSIONS)).astype(np.float32)
    found = find_neighbors(features, 15)
    assert found["method"] == "exact" and found["recall"] == 1
    rows = np.arange(0, len(features), 1009)
    assert np.array_equal(found["indices"][rows], brute_force(features, rows, 15)[0])


def test_copies_of_one_row_are_each_others_neighbors_but_never_their_own():
    features = np.zeros((50, 8), np.float32)
    features[25:] = 1
    found = find_neighbors(features, 9)
    assert found["indices"].shape == (50, 9) and (found["distances"] == 0).all()
    assert not (found["indices"] == np.arange(50)[:, None]).any()
    assert ((found["indices"] < 25) == (np.arange(50) < 25)[:, None]).all()


def test_drop_self():
    indices, distances = np.array([[0, 5, 6], [7, 8, 9]]), np.array([[0, 1, 2], [0, 0, 0]])
    indices, distances = drop_self(indices, distances, np.array([0, 1]))
    assert indices.tolist() == [[5, 6], [7, 8]] and distances.tolist() == [[1, 2], [0, 0]]


def test_recall():
    assert recall(np.array([[1, 2, 3, 4], [5, 6, 7, 8]]), np.array([[4, 3, 2, 1], [5, 6, 0, 9]])) == 0.75


def test_too_few_rows_are_refused_with_what_to_do():
    with pytest.raises(UserError, match=r"45 neighbors of each image are asked for .* 40 images: give more"):
        find_neighbors(np.zeros((40, 3), np.float32), 45)


@pytest.mark.parametrize(
    ("n", "d", "method"), [(300, 20, "exact"), (EXACT_ROWS + 1, EXACT_DIMENSIONS + 1, "projected")]
)
def test_other_rows_are_searched_in_the_same_way_and_none_is_left_out(n, d, method):
    features = np.random.default_rng(5).normal(size=(n, d)) * np.geomspace(10, 0.1, d)
    features = features.astype(np.float32)
    others = features[:7] + np.float32(1e-3)
    _, found = script.find_neighbors(features, others, 12, seed=0, memory=1000, threads=2)
    assert found["method"] == method and found["indices"].shape == (7, 12) and "recall" not in found
    assert np.array_equal(found["indices"][:, 0], np.arange(7)), "a row's own copy is its nearest neighbor"
    distances = np.linalg.norm(others[:, None].astype(np.float64) - features, axis=2)
    assert np.allclose(found["distances"], np.sort(distances, axis=1)[:, :12], atol=1e-2)


def test_the_same_on_one_thread_and_on_two():
    features = np.random.default_rng(4).normal(size=(EXACT_ROWS + 1, 300)) * np.geomspace(10, 0.1, 300)
    features = features.astype(np.float32)
    found = []
    for threads in (1, 2):
        found.append(find_neighbors(features, 15, threads))
    assert found[0]["method"] == "projected"
    assert np.array_equal(found[0]["indices"], found[1]["indices"])


@pytest.mark.parametrize("n", [EXACT_ROWS - 1, EXACT_ROWS + 1])
def test_pieces_give_what_the_whole_gives(n):
    generator = np.random.default_rng(6)
    features = (generator.normal(size=(n, 400)) * np.geomspace(10, 0.1, 400)).astype(np.float32)
    features[n // 2 : n // 2 + 40] = features[:40]  # copies
    others = features[:200] + np.float32(0.01)
    whole, pieces = (
        script.find_neighbors(features, others, 12, seed=0, memory=memory, threads=2) for memory in (1000, 1.5)
    )
    for a, b in zip(whole, pieces, strict=True):
        assert a["method"] == b["method"] == ("exact" if n < EXACT_ROWS else "projected")
        alike = np.isclose(a["distances"], b["distances"], atol=0.05).mean()
        assert alike > (0.999 if n < EXACT_ROWS else 0.99)  # of projected, one that is missed moves all that follow
        assert recall(b["indices"], a["indices"]) > 0.998


def test_frame_of_the_search_does_not_depend_on_what_is_held_at_once():
    features = np.random.default_rng(9).normal(size=(2000, 300)).astype(np.float32)
    whole, pieces = (ProjectedSearch(features, seed=0, memory=memory, threads=1) for memory in (1000, 0.1))
    for name in ("projected", "centers", "order", "lengths"):
        assert np.array_equal(getattr(whole, name), getattr(pieces, name)), name


def test_no_other_rows_have_no_neighbors():
    features = np.random.default_rng(7).normal(size=(50, 4)).astype(np.float32)
    _, found = script.find_neighbors(features, features[:0], 12, seed=0, memory=1000, threads=2)
    assert found["indices"].shape == found["distances"].shape == (0, 12)


LARGE = """
import resource, sys
import numpy as np
from find_neighbors import find_neighbors

features = np.load(sys.argv[1], mmap_mode="r")
used = int(open("/proc/self/statm").read().split()[5]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_DATA, (used + 420 * 10**6,) * 2)
try:
    np.array(features)
    sys.exit("all of it can be held at once")
except MemoryError:
    pass
found, _ = find_neighbors(features, features[:10], 12, 0, 40, 2)
np.savez(sys.argv[1].replace("features.npy", "found.npz"), **found)
"""


def test_features_larger_than_memory_are_searched(tmp_path):
    path, n, d = tmp_path / "features.npy", EXACT_ROWS + 1, 12_000  # 480 MB
    generator = np.random.default_rng(8)
    places, axes = generator.normal(size=(n, 20)).astype(np.float32), generator.normal(size=(20, d)).astype(np.float32)
    features = np.lib.format.open_memmap(path, "w+", np.float32, (n, d))
    for start in range(0, n, 1000):
        features[start : start + 1000] = places[start : start + 1000] @ axes
    features.flush()
    environment = os.environ | {
        "PYTHONPATH": str(ROOT / "scripts"),
        "OMP_NUM_THREADS": "2",
        "OPENBLAS_NUM_THREADS": "2",
    }
    command = [sys.executable, "-c", LARGE, str(path)]
    result = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    found = np.load(tmp_path / "found.npz")
    assert found["method"] == "projected" and found["recall"] > 0.999
    rows = np.arange(0, n, 1009)
    assert recall(found["indices"][rows], brute_force(places @ np.linalg.cholesky(axes @ axes.T), rows, 12)[0]) > 0.99
