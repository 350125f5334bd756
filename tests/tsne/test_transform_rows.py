"""The placement of all rows in the embedding of the landmarks."""

import numpy as np
import pytest
from find_landmark_neighbors import find_landmark_neighbors
from find_nearest_landmarks import find_nearest_landmarks
from gather_neighbors import gather_neighbors
from scipy.spatial.distance import cdist
from transform_rows import transform_rows

from common.knn.chunks import scattered_chunk
from common.knn.results import recall
from common.tsne.affinities import compute_affinities
from common.tsne.opentsne import fit_opentsne
from common.tsne.start import make_start
from common.tsne.transform import transform

LANDMARKS = np.setdiff1d(np.arange(400), np.arange(2, 400, 3))  # two of three rows


@pytest.fixture(scope="module")
def embedded(blobs, parameters):
    """What transform_rows takes: the embedding of the landmarks, their neighbors, themselves, the neighbors of all."""
    features, _ = blobs
    chosen = features[LANDMARKS]
    (own,) = find_landmark_neighbors(chosen, [], 30, seed=0, memory_mb=100, threads=1)
    affinities = compute_affinities(own, 10, threads=1)
    coordinates, _ = fit_opentsne(affinities, make_start(chosen, seed=0), parameters, threads=1)
    part = find_nearest_landmarks(features, slice(0, 400), chosen, LANDMARKS, 30, seed=0, memory_mb=100, threads=1)
    return coordinates.astype(np.float32), own, LANDMARKS, gather_neighbors([part], LANDMARKS)


def test_landmarks_keep_their_coordinates_and_other_rows_are_placed_in_their_blob(blobs, embedded):
    embedding, labels = embedded[0], blobs[1]
    coordinates = transform_rows(*embedded, slice(0, 400), threads=1)
    assert coordinates.shape == (400, 2) and np.array_equal(coordinates[LANDMARKS], embedding)
    others = np.setdiff1d(np.arange(400), LANDMARKS)
    nearest = cdist(coordinates[others], embedding).argmin(axis=1)
    assert (labels[LANDMARKS][nearest] == labels[others]).mean() > 0.99


@pytest.mark.parametrize("item", ["1-of-7", "4-of-7", "7-of-7", "1-of-200", "200-of-200", "77-of-400", "78-of-400"])
def test_coordinates_do_not_depend_on_the_rows_placed_with_them(embedded, item):
    rows = scattered_chunk(400, item)
    coordinates = transform_rows(*embedded, slice(0, 400), threads=1)
    assert np.array_equal(transform_rows(*embedded, rows, threads=1), coordinates[rows])


def test_rows_are_placed_nearer_to_their_nearest_landmark_than_with_the_defaults_of_opentsne(embedded, monkeypatch):
    embedding, own, landmarks, neighbors = embedded
    others = np.setdiff1d(np.arange(400), landmarks)
    new = {
        "indices": np.searchsorted(landmarks, neighbors["indices"][others]),
        "distances": neighbors["distances"][others],
    }

    def placed_beside() -> float:
        """Return how many rows have their nearest landmark among the three nearest in the embedding."""
        coordinates = transform(embedding, own, new, threads=1)
        return recall(cdist(coordinates, embedding).argsort(axis=1)[:, :3], new["indices"][:, :1])

    ours = placed_beside()
    monkeypatch.setattr("common.tsne.transform.TRANSFORM", {})
    assert ours > placed_beside()
