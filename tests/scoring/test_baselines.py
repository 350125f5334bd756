"""Embeddings without t-SNE: principal components, and random points."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from common.scoring.baselines import BASELINES, make_baselines


@pytest.fixture
def features(digits) -> dict[str, np.ndarray]:
    return {split: rows["features"] for split, rows in digits.items()}


def test_pca_is_fitted_to_the_training_images_and_applied_to_all(features):
    pca = PCA(2).fit(features["train"])
    found = make_baselines(features, seed=0)["pca"]
    for split, rows in features.items():
        expected = pca.transform(rows)
        signs = np.sign((found[split] * expected).sum(axis=0))  # of a component, the sign is arbitrary
        np.testing.assert_allclose(found[split] * signs, expected, atol=1e-3)


def test_random_points_fill_a_square_and_differ_between_splits(features):
    found = make_baselines(features, seed=0)["random"]
    points = np.concatenate(list(found.values()))
    assert len(np.unique(points, axis=0)) == len(points) == sum(map(len, features.values()))
    assert (points.min(axis=0) > 0).all() and (points.max(axis=0) < 1).all()
    assert points.mean(axis=0) == pytest.approx([0.5, 0.5], abs=0.05)
    assert abs(np.corrcoef(points.T)[0, 1]) < 0.15


def test_baselines_are_the_same_each_time(features):
    first, again = (make_baselines(features, seed=3) for _ in range(2))
    assert list(first) == list(BASELINES)
    for name in BASELINES:
        for split, rows in features.items():
            assert first[name][split].shape == (len(rows), 2) and first[name][split].dtype == np.float32
            np.testing.assert_array_equal(first[name][split], again[name][split])


def test_one_feature_is_the_first_coordinate():
    features = {"train": np.arange(40, dtype=np.float32)[:, None], "test": np.zeros((0, 1), np.float32)}
    found = make_baselines(features, seed=0)
    assert np.ptp(found["pca"]["train"][:, 0]) == pytest.approx(39) and not found["pca"]["train"][:, 1].any()
    assert found["pca"]["test"].shape == found["random"]["test"].shape == (0, 2)
