"""The start of t-SNE, and its phases."""

import numpy as np
import pytest

from common.tsne import start
from common.tsne.schedule import MOMENTUM, make_phases
from common.tsne.start import START_SPREAD, describe_start, make_start


def test_start_is_the_principal_components_at_a_small_scale(blobs):
    features, _ = blobs
    coordinates = make_start(features, seed=0)
    assert coordinates.shape == (400, 2) and coordinates[:, 0].std() == pytest.approx(1e-4, rel=0.01)
    _, _, components = np.linalg.svd(features - features.mean(axis=0), full_matrices=False)
    expected = (features - features.mean(axis=0)) @ components[:2].T
    for axis in (0, 1):
        assert abs(np.corrcoef(coordinates[:, axis], expected[:, axis])[0, 1]) > 0.999
    assert coordinates[:, 1].std() / coordinates[:, 0].std() == pytest.approx(
        np.divide(*expected.std(axis=0)[::-1]), 0.01
    )


@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_scale_of_the_features_has_no_effect_on_that_of_the_start(blobs, scale):
    assert make_start(blobs[0] * np.float32(scale), seed=0)[:, 0].std() == pytest.approx(1e-4, rel=0.01)


def test_start_is_the_same_for_a_seed_and_another_for_another(blobs):
    assert np.array_equal(make_start(blobs[0], seed=3), make_start(blobs[0], seed=3))
    assert not np.array_equal(make_start(blobs[0], seed=3), make_start(blobs[0], seed=4))


def test_start_of_equal_rows_is_noise():
    coordinates = make_start(np.ones((600, 20), np.float32), seed=0)
    assert len(np.unique(coordinates, axis=0)) == 600
    assert np.allclose(coordinates.std(axis=0), 1e-6, rtol=0.1) and np.allclose(coordinates.mean(axis=0), 0, atol=2e-7)


def test_start_of_a_single_feature_has_noise_along_the_second_axis():
    coordinates = make_start(np.arange(600, dtype=np.float32)[:, None], seed=0)
    assert coordinates[:, 0].std() == pytest.approx(1e-4, rel=0.01)
    assert coordinates[:, 1].std() == pytest.approx(1e-6, rel=0.1)


def test_description_of_the_start_names_what_was_used(monkeypatch):
    described = {"principal_components": 2, "of_rows": 10_000, "standard_deviation": 1e-4, "jitter": 1e-6}
    assert describe_start((50_000, 784)) == described
    assert describe_start((300, 1)) == described | {"principal_components": 1, "of_rows": 300}
    assert describe_start((50_000, 100_000))["of_rows"] == 500, "as many as SAMPLE_MB hold"
    monkeypatch.setattr(start, "START_SPREAD", 2 * START_SPREAD)
    assert describe_start((300, 5))["standard_deviation"] == 2e-4


def test_learning_rate_is_the_number_of_points_over_the_exaggeration():
    parameters = {"exaggerated_iterations": 250, "exaggeration": 12, "iterations": 500, "seed": 0}
    assert make_phases(parameters, 1200) == [(250, 12, 100), (500, 1, 1200)]
    assert MOMENTUM == 0.8
