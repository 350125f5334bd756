"""The neighbors of the rows of a layer and of its test images."""

import os
import subprocess
import sys

import numpy as np
import pytest
from find_neighbors import find_neighbors
from scipy.spatial.distance import cdist

from common.errors import UserError
from common.knn import index
from common.knn.index import EXACT_DIMENSIONS, EXACT_ROWS
from common.knn.results import recall
from helpers import ROOT


def decaying(n, d, seed=5):
    """Features whose variance decays from column to column, so that a few components find the neighbors."""
    return (np.random.default_rng(seed).normal(size=(n, d)) * np.geomspace(10, 0.1, d)).astype(np.float32)


def test_rows_have_the_neighbors_of_brute_force_without_themselves():
    features = np.random.default_rng(1).normal(size=(300, 20)).astype(np.float32)
    neighbors, _ = find_neighbors(features, features[:0], 12, seed=0, memory_mb=1000, threads=1)
    assert neighbors["method"] == "exact" and neighbors["recall"] == 1
    assert neighbors["indices"].dtype == np.int32 and neighbors["distances"].dtype == np.float32
    distances = cdist(features, features) + np.diag(np.full(300, np.inf))
    assert np.array_equal(neighbors["indices"], np.argsort(distances, axis=1)[:, :12])
    assert np.allclose(neighbors["distances"], np.sort(distances, axis=1)[:, :12], atol=1e-3)


@pytest.mark.parametrize(
    ("n", "d", "method"), [(300, 20, "exact"), (EXACT_ROWS + 1, EXACT_DIMENSIONS + 1, "projected")]
)
def test_test_rows_are_searched_in_the_same_way_and_no_neighbor_is_left_out(n, d, method):
    features = decaying(n, d)
    test_features = features[:7] + np.float32(1e-3)
    neighbors, test_neighbors = find_neighbors(features, test_features, 12, seed=0, memory_mb=1000, threads=2)
    assert test_neighbors["method"] == neighbors["method"] == method
    assert test_neighbors["indices"].shape == (7, 12) and "recall" not in test_neighbors
    assert neighbors["indices"].shape == (n, 12) and 0.999 <= neighbors["recall"] <= 1
    assert np.array_equal(test_neighbors["indices"][:, 0], np.arange(7)), "the row that it is nearly a copy of"
    assert not (neighbors["indices"] == np.arange(n)[:, None]).any()
    expected = np.sort(cdist(test_features, features), axis=1)[:, :12]
    assert np.allclose(test_neighbors["distances"], expected, atol=1e-2)


def test_copies_of_one_row_are_neighbors_of_each_other_but_never_of_themselves():
    features = np.zeros((50, 8), np.float32)
    features[25:] = 1
    neighbors, _ = find_neighbors(features, features[:0], 9, seed=0, memory_mb=1000, threads=1)
    assert neighbors["indices"].shape == (50, 9) and (neighbors["distances"] == 0).all()
    assert not (neighbors["indices"] == np.arange(50)[:, None]).any()
    assert ((neighbors["indices"] < 25) == (np.arange(50) < 25)[:, None]).all()


def test_without_test_rows_there_are_no_test_neighbors():
    features = decaying(50, 4)
    _, test_neighbors = find_neighbors(features, features[:0], 12, seed=0, memory_mb=1000, threads=2)
    assert test_neighbors["indices"].shape == test_neighbors["distances"].shape == (0, 12)


def test_too_few_rows_are_refused_with_what_to_do():
    message = r"^There are 40 images, and 40 neighbors of each are needed .* lower tsne\.perplexity\.$"
    with pytest.raises(UserError, match=message):
        find_neighbors(decaying(40, 3), decaying(0, 3), 40, seed=0, memory_mb=1000, threads=1)
    assert find_neighbors(decaying(41, 3), decaying(0, 3), 40, 0, 1000, 1)[0]["indices"].shape == (41, 40)


@pytest.mark.parametrize("method", ["exact", "projected"])
def test_chunks_give_the_same_neighbors_as_all_features_at_once(method, monkeypatch):
    monkeypatch.setattr(index, "EXACT_ROWS", 3001 if method == "exact" else 3000)
    features = decaying(3001, 200, seed=6)
    features[1500:1540] = features[:40]  # copies
    test_features = features[:200] + np.float32(0.01)
    at_once, in_chunks = (
        find_neighbors(features, test_features, 12, seed=0, memory_mb=memory_mb, threads=2) for memory_mb in (1000, 0.5)
    )
    for one, other in zip(at_once, in_chunks, strict=True):
        assert one["method"] == other["method"] == method
        same = np.isclose(one["distances"], other["distances"], atol=0.05).mean()
        assert same > (0.999 if method == "exact" else 0.99)  # in a projected search one miss moves all that follow
        assert recall(other["indices"], one["indices"]) > 0.998


LARGE = """
import resource, sys
import numpy as np
from find_neighbors import find_neighbors

features = np.load(sys.argv[1], mmap_mode="r")
used = int(open("/proc/self/statm").read().split()[5]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_DATA, (used + 420 * 10**6,) * 2)
try:
    np.array(features)
    sys.exit("the limit allows holding all features")
except MemoryError:
    pass
neighbors, _ = find_neighbors(features, features[:10], 12, 0, 40, 2)
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
