"""The nearest landmarks of the landmarks themselves, and of the held-out images."""

import numpy as np
import pytest
from find_landmark_neighbors import find_landmark_neighbors
from scipy.spatial.distance import cdist

from common.errors import UserError
from common.knn import index
from common.knn.results import recall

LANDMARKS, VALIDATION, TEST = slice(0, 250), slice(250, 320), slice(320, 400)


@pytest.mark.parametrize("memory_mb", [100, 0.01], ids=["at once", "in chunks"])
def test_nearest_landmarks_are_those_of_brute_force(blobs, memory_mb):
    features, _ = blobs
    parts = [features[rows] for rows in (LANDMARKS, VALIDATION, TEST)]
    found = find_landmark_neighbors(parts[0], parts[1:], 30, seed=0, memory_mb=memory_mb, threads=1)
    assert len(found) == 3
    for neighbors, queries in zip(found, parts, strict=True):
        distances = cdist(queries, parts[0])
        if queries is parts[0]:
            np.fill_diagonal(distances, np.inf)  # a landmark is not its own neighbor
        assert neighbors["method"] == "exact" and neighbors["recall"] == 1
        assert neighbors["indices"].shape == (len(queries), 30) and neighbors["indices"].dtype == np.int32
        same = neighbors["indices"] == np.argsort(distances, axis=1)[:, :30]
        assert same.mean() > 0.999, "all but some that are equally far, within single precision"
        assert neighbors["distances"].dtype == np.float32
        assert np.allclose(neighbors["distances"], np.sort(distances, axis=1)[:, :30], atol=1e-3)


def test_each_split_has_its_own_result_also_without_rows(blobs):
    features, _ = blobs
    found = find_landmark_neighbors(features, [features[:0], features[:5]], 30, seed=0, memory_mb=100, threads=1)
    assert [part["indices"].shape for part in found] == [(400, 30), (0, 30), (5, 30)]
    assert np.array_equal(found[2]["indices"][:, 0], np.arange(5)), "a held-out image can be a copy of a landmark"
    assert len(find_landmark_neighbors(features, [], 30, seed=0, memory_mb=100, threads=1)) == 1


def test_recall_of_the_search_is_recorded_for_each_split(monkeypatch):
    monkeypatch.setattr(index, "EXACT_ROWS", 3000)
    features = (np.random.default_rng(5).normal(size=(3101, 150)) * np.geomspace(10, 0.1, 150)).astype(np.float32)
    found = find_landmark_neighbors(features[:3001], [features[3001:]], 15, seed=0, memory_mb=1000, threads=2)
    assert {part["method"] for part in found} == {"projected"}
    assert len({part["recall"] for part in found}) == 1 and 0.999 <= found[0]["recall"] <= 1
    exact = np.argsort(cdist(features[3001:], features[:3001]), axis=1)[:, :15]
    assert recall(found[1]["indices"], exact) > 0.99


def test_too_few_landmarks_are_refused_and_few_are_all_neighbors(blobs):
    with pytest.raises(UserError, match="There are 30 landmarks, and the scores need at least 31"):
        find_landmark_neighbors(blobs[0][LANDMARKS][:30], [], 20, seed=0, memory_mb=100, threads=1)
    (found,) = find_landmark_neighbors(blobs[0][LANDMARKS], [], 250, seed=0, memory_mb=100, threads=1)
    assert found["indices"].shape == (250, 249)
