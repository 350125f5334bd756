"""Principal components against a singular value decomposition of all rows."""

import numpy as np
import pytest

from common.knn import pca
from common.knn.pca import fit_pca, pca_sample_size, project


@pytest.fixture(scope="module")
def features():
    return (np.random.default_rng(1).normal(3, 1, (2000, 30)) * np.geomspace(10, 1, 30)).astype(np.float32)


def test_components_are_those_of_all_rows_if_there_are_few(features):
    mean, components = fit_pca(features, 4, seed=0)
    assert mean.dtype == components.dtype == np.float32 and components.flags.c_contiguous
    assert np.allclose(mean, features.mean(axis=0), atol=1e-3)
    expected = np.linalg.svd(features - features.mean(axis=0), full_matrices=False)[2][:4]
    assert np.allclose(abs((components * expected).sum(axis=1)), 1, atol=1e-3)


def test_projection_gives_the_coordinates_along_the_components(features, monkeypatch):
    mean, components = fit_pca(features, 4, seed=0)
    projected = project(features, mean, components)
    assert projected.shape == (2000, 4) and projected.dtype == np.float32
    assert np.allclose(projected, (features - mean) @ components.T, atol=1e-3)
    monkeypatch.setattr(pca, "BLOCK_MB", 0.03)  # 250 rows at once
    assert np.allclose(project(features, mean, components), projected, atol=1e-4)


def test_features_are_not_changed(features):
    before = features.copy()
    project(features, *fit_pca(features, 4, seed=0))
    assert np.array_equal(features, before)


def test_sample_is_drawn_from_all_rows_with_the_seed():
    generator = np.random.default_rng(2)
    rows = np.concatenate([generator.normal(0, 1, (12_000, 3)), generator.normal(100, 1, (12_000, 3))])
    mean, _ = fit_pca(rows.astype(np.float32), 1, seed=0)
    assert np.allclose(mean, 50, atol=3)
    assert np.array_equal(mean, fit_pca(rows.astype(np.float32), 1, seed=0)[0])
    assert not np.array_equal(mean, fit_pca(rows.astype(np.float32), 1, seed=1)[0])


@pytest.mark.parametrize(
    ("shape", "count", "rows"),
    [
        ((50_000, 784), 2, 10_000),
        ((300, 5), 2, 300),
        ((50_000, 100_000), 2, 500),  # as many as SAMPLE_MB hold
        ((50_000, 100_000), 400, 800),
        ((600, 100_000), 400, 600),
    ],
)
def test_sample_is_limited_in_rows_and_in_memory_but_has_two_rows_a_component(shape, count, rows):
    assert pca_sample_size(shape, count) == rows
