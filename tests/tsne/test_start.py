"""The start of t-SNE, and its phases."""

import numpy as np
import pytest
import yaml

from common.tsne.schedule import make_phases
from common.tsne.start import describe_start, make_start, scale_start
from helpers import ROOT


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


def test_start_from_points_keeps_their_shape_about_the_origin_at_a_small_scale():
    points = np.random.default_rng(0).normal(size=(600, 2)) * [30, 10] + [500, -70]
    before = points.copy()
    scaled = scale_start(points, seed=0)
    assert scaled.dtype == np.float64 and np.array_equal(points, before)
    assert scaled[:, 0].std() == pytest.approx(1e-4, rel=0.01)
    assert np.allclose(scaled.mean(axis=0), 0, atol=2e-7)
    centered = points - points.mean(axis=0)
    assert np.allclose(scaled, centered / centered[:, 0].std() * 1e-4, atol=6e-6), "but for the noise"


def test_start_from_points_is_the_same_for_a_seed_and_its_noise_another_for_another():
    points = np.random.default_rng(0).normal(size=(600, 2)).astype(np.float32)
    noise = scale_start(points, seed=3) - scale_start(points, seed=4)
    assert np.array_equal(scale_start(points, seed=3), scale_start(points, seed=3))
    assert np.allclose(noise.std(axis=0), np.sqrt(2) * 1e-6, rtol=0.1)


def test_start_from_points_on_each_other_is_noise():
    scaled = scale_start(np.full((600, 2), 7, np.float32), seed=0)
    assert len(np.unique(scaled, axis=0)) == 600 and np.allclose(scaled.std(axis=0), 1e-6, rtol=0.1)


def test_start_does_not_depend_on_where_and_how_large_the_points_are():
    points = np.random.default_rng(0).normal(size=(600, 2))
    assert np.allclose(scale_start(1e3 * points + 50, seed=0), scale_start(points, seed=0), atol=1e-12)


def test_description_of_the_start_names_what_was_used():
    described = {"from": "principal components", "components": 2, "of_rows": 10_000}
    assert describe_start((50_000, 784)) == described
    assert describe_start((300, 1)) == described | {"components": 1, "of_rows": 300}
    assert describe_start((50_000, 100_000))["of_rows"] == 500, "as many as SAMPLE_MB hold"


SCHEDULE = {"exaggerated_iterations": 100, "exaggeration": 12, "iterations": 200, "momentum": 0.95, "learning_rate": 2}


def test_phases_settle_before_momentum_and_learning_rate_rise():
    assert make_phases(SCHEDULE, 1200) == [(100, 12, 100, 0.8), (50, 1, 1200, 0.8), (150, 1, 2400, 0.95)]
    assert make_phases(SCHEDULE | {"iterations": 30}, 1200) == [(100, 12, 100, 0.8), (30, 1, 1200, 0.8)]


def test_configuration_of_opentsne_has_its_two_phases():
    of_opentsne = yaml.safe_load((ROOT / "config/opentsne.yaml").read_text())
    assert make_phases(SCHEDULE | of_opentsne["tsne"], 1200) == [(250, 12, 100, 0.8), (500, 1, 1200, 0.8)]


def test_phase_without_iterations_is_left_out():
    assert make_phases(SCHEDULE | {"exaggerated_iterations": 0}, 1200)[0] == (50, 1, 1200, 0.8)
