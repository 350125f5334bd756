"""The neighbors of the rows of a layer: among the training rows, and among all rows."""

import os
import subprocess
import sys

import numpy as np
import pytest
from find_neighbors import find_neighbors, keep_training_rows
from scipy.spatial.distance import cdist

from common.errors import UserError
from common.knn import index
from common.knn.index import EXACT_DIMENSIONS, EXACT_ROWS
from common.knn.results import recall
from helpers import ROOT

SPLITS = ("train", "validation", "test")


def decaying(n, d, seed=5):
    """Features whose variance decays from column to column, so that a few components find the neighbors."""
    return (np.random.default_rng(seed).normal(size=(n, d)) * np.geomspace(10, 0.1, d)).astype(np.float32)


def brute_force(queries, rows, k, first=None):
    """Return the k rows nearest to the queries, and their distances; query i is row first + i, unless it is None."""
    distances = cdist(queries.astype(np.float64), rows.astype(np.float64))
    if first is not None:
        distances[np.arange(len(queries)), first + np.arange(len(queries))] = np.inf
    nearest = np.argsort(distances, axis=1)[:, :k]
    return nearest, np.take_along_axis(distances, nearest, axis=1)


def assert_neighbors(found, expected, k):
    """Check that the neighbors are the expected ones, and have the types of the files."""
    indices, distances = expected
    assert found["indices"].dtype == np.int32 and found["distances"].dtype == np.float32
    assert found["indices"].shape == found["distances"].shape == (len(indices), k)
    assert np.array_equal(found["indices"], indices)
    assert np.allclose(found["distances"], distances, atol=1e-3)


@pytest.mark.parametrize("sizes", [(300, 60, 40), (300, 60, 0), (300, 0, 40), (300, 0, 0)])
@pytest.mark.parametrize(("k_train", "k_all"), [(12, 25), (25, 12)])
def test_rows_have_the_neighbors_of_brute_force_without_themselves(sizes, k_train, k_all):
    rows = np.random.default_rng(1).normal(size=(sum(sizes), 20)).astype(np.float32)
    features = np.split(rows, np.cumsum(sizes)[:-1])
    by_split, among_all = find_neighbors(features, k_train, k_all, seed=0, memory_mb=1000, threads=1)
    assert len(by_split) == 3
    for split, found, queries in zip(SPLITS, by_split, features, strict=True):
        expected = brute_force(queries, features[0], k_train, first=0 if split == "train" else None)
        assert_neighbors(found, expected, k_train)
        assert found["method"] == "exact" and found["recall"] == 1
    assert_neighbors(among_all, brute_force(rows, rows, k_all, first=0), k_all)
    assert among_all["method"] == "exact" and among_all["recall"] == 1


def test_held_out_rows_far_from_all_training_rows_are_searched_anew():
    """Each of them has 79 held-out rows nearer than any training row, more than the neighbors of both searches."""
    train, near = decaying(200, 8), decaying(30, 8, seed=6)
    cluster = decaying(80, 8, seed=7) / 100 + np.float32(500)
    by_split, among_all = find_neighbors([train, near, cluster], 10, 20, seed=0, memory_mb=1000, threads=1)
    assert (among_all["indices"][230:] >= 230).all()
    indices, distances = brute_force(cluster, train, 10)
    assert (by_split[2]["indices"] >= 0).all() and np.allclose(by_split[2]["distances"], distances, rtol=1e-4)
    assert recall(by_split[2]["indices"], indices) > 0.95, "all but some that are equally far, within single precision"
    for found, queries, first in zip(by_split, (train, near), (0, None), strict=False):
        assert_neighbors(found, brute_force(queries, train, 10, first), 10)


def test_training_rows_amid_held_out_rows_are_searched_anew_without_themselves():
    """Copies of a few training rows fill their neighborhoods."""
    train, copies = decaying(100, 8), np.repeat(decaying(100, 8)[:3], 40, axis=0)
    by_split, _ = find_neighbors([train, copies + np.float32(1e-3)], 10, 20, seed=0, memory_mb=1000, threads=1)
    assert_neighbors(by_split[0], brute_force(train, train, 10, first=0), 10)
    assert np.array_equal(by_split[1]["indices"][:, 0], np.repeat(np.arange(3), 40))


def test_rows_that_are_searched_anew_are_held_in_memory_by_parts(monkeypatch):
    train, cluster = decaying(200, 8), decaying(80, 8, seed=7) / 100 + np.float32(500)
    at_once, _ = find_neighbors([train, cluster], 10, 20, seed=0, memory_mb=1000, threads=1)
    sizes = []

    def search(features, queries, *arguments, **settings):
        sizes.append(len(queries))
        return index.search_exactly(features, queries, *arguments, **settings)

    monkeypatch.setattr("find_neighbors.search_exactly", search)
    by_parts, _ = find_neighbors([train, cluster], 10, 20, seed=0, memory_mb=30 * 8 * 4 / 1e6, threads=1)
    assert sizes == [30, 30, 20]
    assert np.allclose(by_parts[1]["distances"], at_once[1]["distances"], rtol=1e-4)


def test_all_other_training_rows_are_neighbors_if_there_are_fewer_than_asked_for():
    train, others = decaying(31, 5), decaying(70, 5, seed=6)
    by_split, among_all = find_neighbors([train, others], 50, 10, seed=0, memory_mb=1000, threads=1)
    assert_neighbors(by_split[0], brute_force(train, train, 30, first=0), 30)
    assert_neighbors(by_split[1], brute_force(others, train, 30), 30)
    assert among_all["indices"].shape == (101, 10)
    _, among_all = find_neighbors([train, others], 50, 200, seed=0, memory_mb=1000, threads=1)
    rows = np.concatenate([train, others])
    assert_neighbors(among_all, brute_force(rows, rows, 100, first=0), 100)


def test_nearest_training_rows_are_kept_in_order_and_missing_ones_are_marked():
    neighbors = {
        "indices": np.array([[7, 2, 9, 0, 1], [8, 9, 7, 6, 3], [4, 3, 2, 1, 0]], np.int32),
        "distances": np.array([[1, 2, 3, 4, 5], [1, 2, 3, 4, 5], [0, 0, 1, 1, 2]], np.float32),
    }
    kept = keep_training_rows(neighbors, n_train=5, k=3)
    assert kept["indices"].tolist() == [[2, 0, 1], [3, -1, -1], [4, 3, 2]] and kept["indices"].dtype == np.int32
    assert kept["distances"][0].tolist() == [2, 4, 5] and kept["distances"][2].tolist() == [0, 0, 1]
    assert kept["distances"][1, 0] == 5
    assert neighbors["indices"][0].tolist() == [7, 2, 9, 0, 1], "the neighbors among all rows stay as they are"


@pytest.mark.parametrize(
    ("n", "d", "method"), [(300, 20, "exact"), (EXACT_ROWS + 1, EXACT_DIMENSIONS + 1, "projected")]
)
def test_held_out_rows_are_searched_in_the_same_way_and_no_neighbor_is_left_out(n, d, method):
    features = decaying(n, d)
    held_out = features[:7] + np.float32(1e-3)
    by_split, among_all = find_neighbors([features, held_out], 12, 12, seed=0, memory_mb=1000, threads=2)
    for found in (*by_split, among_all):
        assert found["method"] == method and 0.999 <= found["recall"] <= 1
        assert found["recall"] == among_all["recall"]
    train, test = by_split
    assert np.array_equal(test["indices"][:, 0], np.arange(7)), "the row that it is nearly a copy of"
    assert np.array_equal(among_all["indices"][:7, 0], n + np.arange(7))
    assert train["indices"].shape == (n, 12) and not (train["indices"] == np.arange(n)[:, None]).any()
    assert np.allclose(test["distances"], brute_force(held_out, features, 12)[1], atol=1e-2)


def test_copies_of_one_row_are_neighbors_of_each_other_but_never_of_themselves():
    features = np.zeros((50, 8), np.float32)
    features[25:] = 1
    (train, *_), among_all = find_neighbors([features], 9, 9, seed=0, memory_mb=1000, threads=1)
    for found in (train, among_all):
        assert found["indices"].shape == (50, 9) and (found["distances"] == 0).all()
        assert not (found["indices"] == np.arange(50)[:, None]).any()
        assert ((found["indices"] < 25) == (np.arange(50) < 25)[:, None]).all()


def test_too_few_training_rows_are_refused_with_what_to_do():
    message = r"^There are 30 training images, and the scores need at least 31\. Give more training images\.$"
    with pytest.raises(UserError, match=message):
        find_neighbors([decaying(30, 3), decaying(60, 3)], 10, 40, seed=0, memory_mb=1000, threads=1)
    assert find_neighbors([decaying(31, 3), decaying(60, 3)], 10, 40, 0, 1000, 1)[1]["indices"].shape == (91, 40)


@pytest.mark.parametrize("method", ["exact", "projected"])
def test_chunks_of_mapped_files_give_the_same_neighbors_as_all_features_at_once(method, monkeypatch, tmp_path):
    monkeypatch.setattr(index, "EXACT_ROWS", 3201 if method == "exact" else 3200)
    features = decaying(3001, 200, seed=6)
    features[1500:1540] = features[:40]  # copies
    splits, paths = [features, features[:0], features[:200] + np.float32(0.01)], []
    for number, rows in enumerate(splits):
        paths.append(tmp_path / f"{number}.npy")
        np.save(paths[-1], rows)
    mapped = [np.load(path, mmap_mode="r") for path in paths]
    at_once, in_chunks = (
        find_neighbors(parts, 12, 25, seed=0, memory_mb=memory_mb, threads=2)
        for parts, memory_mb in ((splits, 1000), (mapped, 0.5))
    )
    pairs = [*zip(at_once[0], in_chunks[0], strict=True), (at_once[1], in_chunks[1])]
    assert [len(one["indices"]) for one, _ in pairs] == [3001, 0, 200, 3201]
    for one, other in pairs:
        assert one["method"] == other["method"] == method and one["indices"].shape == other["indices"].shape
        if len(one["indices"]):
            same = np.isclose(one["distances"], other["distances"], atol=0.05).mean()
            # In a projected search one miss moves all that follow.
            assert same > (0.999 if method == "exact" else 0.99)
            assert recall(other["indices"], one["indices"]) > 0.998


# scikit-learn, which the search imports when it needs it, counts as used before the search begins.
LARGE = """
import resource, sys
import numpy as np
import sklearn.decomposition
from find_neighbors import find_neighbors

features = np.load(sys.argv[1], mmap_mode="r")
used = int(open("/proc/self/statm").read().split()[5]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_DATA, (used + 420 * 10**6,) * 2)
try:
    np.array(features)
    sys.exit("the limit allows holding all features")
except MemoryError:
    pass
_, neighbors = find_neighbors([features[:-1000], features[-1000:]], 5, 12, 0, 40, 2)
np.savez(sys.argv[1].replace("features.npy", "neighbors.npz"), **neighbors)
"""


@pytest.mark.slow
def test_features_larger_than_memory_are_searched(tmp_path):
    path, n, d = tmp_path / "features.npy", EXACT_ROWS + 1, 12_000  # 480 MB
    generator = np.random.default_rng(8)
    latent, axes = generator.normal(size=(n, 20)).astype(np.float32), generator.normal(size=(20, d)).astype(np.float32)
    features = np.lib.format.open_memmap(path, "w+", np.float32, (n, d))
    for start in range(0, n, 1000):
        features[start : start + 1000] = latent[start : start + 1000] @ axes
    features.flush()
    environment = os.environ | {
        "PYTHONPATH": str(ROOT / "scripts"),
        "OMP_NUM_THREADS": "2",
        "OPENBLAS_NUM_THREADS": "2",
    }
    command = [sys.executable, "-c", LARGE, str(path)]
    result = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    neighbors = np.load(tmp_path / "neighbors.npz")
    assert neighbors["method"] == "projected" and neighbors["recall"] > 0.999
    rows, coordinates = np.arange(0, n, 1009), latent @ np.linalg.cholesky(axes @ axes.T)
    expected = np.argsort(cdist(coordinates[rows], coordinates), axis=1)[:, 1:13]
    assert recall(neighbors["indices"][rows], expected) > 0.99
