"""Scores with landmarks: all rows are scored, and the landmarks are their neighbors and voters."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from score_map import score_map

LANDMARKS = np.arange(0, 400, 4)


def nearest_landmarks(points):
    distances = cdist(points, points[LANDMARKS])
    distances[LANDMARKS, np.arange(len(LANDMARKS))] = np.inf
    return LANDMARKS[np.argsort(distances, axis=1)[:, :30]]


def test_all_rows_are_scored_by_their_nearest_landmarks(blobs):
    features, labels = blobs
    coordinates = features[:, :2]
    in_features, in_map = nearest_landmarks(features), nearest_landmarks(coordinates)
    train = {"features": features, "neighbors": in_features, "coordinates": coordinates, "labels": labels}
    none = {name: rows[:0] for name, rows in train.items()}
    splits = {"train": train, "validation": none, "test": none}
    scores = score_map(splits, list("abcd"), LANDMARKS)[0]["train"]
    assert scores["rows"] == 400
    for k in (10, 30):
        shared = [len(np.intersect1d(a[:k], b[:k])) / k for a, b in zip(in_features, in_map, strict=True)]
        assert scores[f"knn_preservation_{k}"] == pytest.approx(np.mean(shared))
    for space, neighbors in (("features", in_features), ("map", in_map)):
        voters = labels[neighbors[:, :10]]
        counts = (voters[:, :, None] == voters[:, None]).sum(axis=2)
        votes = voters[np.arange(400), counts.argmax(axis=1)]  # in a tie, the nearest of the most frequent
        assert scores[f"knn_accuracy_{space}"] == pytest.approx((votes == labels).mean())
