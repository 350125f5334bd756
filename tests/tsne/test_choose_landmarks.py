"""The choice of landmarks."""

import numpy as np
import pytest
from choose_landmarks import choose_landmarks
from sklearn.datasets import make_blobs


@pytest.fixture(scope="module")
def unequal_blobs():
    """Rows in 30 dimensions: a large blob, a small one, and a tiny one far away, 900, 90 and 10 rows."""
    features, labels = make_blobs([900, 90, 10], 30, cluster_std=2, random_state=3)
    return features.astype(np.float32), labels


def test_landmarks_have_the_density_of_all_rows(unequal_blobs):
    features, labels = unequal_blobs
    rows = choose_landmarks(features, 200, seed=0, threads=1)
    assert rows.dtype == np.int64 and len(rows) == 200 and (np.diff(rows) > 0).all()
    assert rows[0] >= 0 and rows[-1] < 1000
    for label, count in enumerate((180, 18, 2)):  # within one: cells do not mix blobs
        assert abs((labels[rows] == label).sum() - count) <= 1


def test_landmarks_are_the_same_for_a_seed_and_others_for_another(unequal_blobs):
    features, _ = unequal_blobs
    rows = choose_landmarks(features, 200, seed=0, threads=1)
    assert np.array_equal(rows, choose_landmarks(features, 200, seed=0, threads=2))
    assert not np.array_equal(rows, choose_landmarks(features, 200, seed=1, threads=1))


def test_every_group_larger_than_the_step_has_a_landmark():
    """Each of twenty groups is one cell or several."""
    centers = np.random.default_rng(0).normal(size=(20, 40)) * 50
    features = (np.repeat(centers, 50, axis=0) + np.random.default_rng(1).normal(size=(1000, 40))).astype(np.float32)
    rows = choose_landmarks(features, 100, seed=0, threads=1)
    counts = np.bincount(rows // 50, minlength=20)
    assert counts.min() >= 4 and counts.max() <= 6, "5 of 50, to within one"


@pytest.mark.parametrize("count", [1000, 2000])
def test_all_rows_are_landmarks_if_there_are_no_more(unequal_blobs, count):
    assert np.array_equal(choose_landmarks(unequal_blobs[0], count, seed=0, threads=1), np.arange(1000))
    assert len(choose_landmarks(unequal_blobs[0], 999, seed=0, threads=1)) == 999


@pytest.mark.parametrize("features", [np.ones((50, 3)), np.arange(50)[:, None]], ids=["all rows equal", "one feature"])
def test_landmarks_of_degenerate_features_are_different_rows(features):
    rows = choose_landmarks(features.astype(np.float32), 40, seed=0, threads=1)
    assert len(np.unique(rows)) == 40 and rows.max() < 50
