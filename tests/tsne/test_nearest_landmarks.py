"""The nearest landmarks of all rows, found in several jobs and gathered."""

import numpy as np
import pytest
from find_nearest_landmarks import find_nearest_landmarks
from gather_neighbors import gather_neighbors
from scipy.spatial.distance import cdist

from common.errors import UserError
from common.knn.chunks import scattered_chunk

LANDMARKS = np.arange(1, 400, 3)


@pytest.mark.parametrize("memory_mb", [100, 0.01], ids=["at once", "in chunks"])
def test_nearest_landmarks_are_those_of_brute_force_numbered_by_row(blobs, memory_mb):
    features, _ = blobs
    parts = [
        find_nearest_landmarks(
            features, scattered_chunk(400, f"{n}-of-3"), features[LANDMARKS], LANDMARKS, 30, 0, memory_mb, threads=1
        )
        for n in (1, 2, 3)
    ]
    assert all(part["method"] == "exact" and part["recall"] == 1 for part in parts)
    gathered = gather_neighbors(parts, LANDMARKS)
    distances = cdist(features, features[LANDMARKS])
    distances[LANDMARKS, np.arange(len(LANDMARKS))] = np.inf  # a landmark is not its own neighbor
    assert gathered["indices"].shape == (400, 30) and gathered["indices"].dtype == np.int32
    same = gathered["indices"] == LANDMARKS[np.argsort(distances, axis=1)[:, :30]]
    assert same.mean() > 0.999, "all but some that are equally far, within single precision"
    assert gathered["distances"].dtype == np.float32 and gathered["method"] == "exact"
    assert np.allclose(gathered["distances"], np.sort(distances, axis=1)[:, :30], atol=1e-3)


def test_too_few_landmarks_are_refused_and_few_are_all_neighbors(blobs):
    few = LANDMARKS[:30]
    with pytest.raises(UserError, match="There are 30 landmarks, and the scores need at least 31"):
        find_nearest_landmarks(blobs[0], slice(0, 9), blobs[0][few], few, 20, 0, 100, threads=1)
    found = find_nearest_landmarks(blobs[0], slice(0, 9), blobs[0][LANDMARKS], LANDMARKS, 133, 0, 100, threads=1)
    assert found["indices"].shape == (9, 132)
