"""Intrinsic dimension by TwoNN: data of known dimension, the library's estimate, and data without a dimension."""

import numpy as np
import pytest
from scipy.spatial import KDTree

from common.scoring.dimension import estimate_dimension

pytestmark = pytest.mark.filterwarnings("error")


def find_distances(rows: np.ndarray, queries: np.ndarray | None = None, k: int = 3) -> np.ndarray:
    """Return the distances (n, k) float32 of queries, or of the rows themselves, from the nearest rows."""
    if queries is None:
        return KDTree(rows).query(rows, k + 1)[0][:, 1:].astype(np.float32)
    return KDTree(rows).query(queries, k)[0].astype(np.float32)


def cube(n: int, dimension: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((n, dimension))


@pytest.mark.parametrize(("dimension", "bias"), [(2, 0.02), (5, 0.05), (10, 0.15)])  # the more faces, the more bias
def test_dimension_of_a_cube_in_a_space_of_more_dimensions(dimension, bias):
    rotation = np.linalg.qr(np.random.default_rng(1).normal(size=(30, 30)))[0][:dimension]
    found, reason = estimate_dimension(find_distances(cube(4000, dimension) @ rotation))
    assert reason is None and found.n_left_out == 0
    assert dimension * (1 - bias) - 3 * found.error < found.dimension < dimension + 3 * found.error
    assert found.outcomes.mean() == pytest.approx(found.dimension) and found.outcomes.shape == (4000,)


@pytest.mark.parametrize("n", [31, 2000])
@pytest.mark.parametrize("dimension", [1, 2, 7])
def test_dimension_is_that_of_scikit_dimension(n, dimension):
    from skdim.id import TwoNN

    distances = find_distances(cube(n, dimension))
    expected = TwoNN(dist=True, method="mle").fit(distances[:, :2].astype(float)).dimension_
    assert estimate_dimension(distances)[0].dimension == pytest.approx(expected, rel=1e-6)


def test_ratios_that_are_beyond_the_smallest_nine_tenths_have_no_size():
    distances = np.ones((20, 2), np.float32)
    distances[:, 1] = np.exp(np.arange(1, 21) / 10)
    found, _ = estimate_dimension(distances)
    assert found.dimension == pytest.approx(17 / (sum(range(1, 19)) / 10 + 2 * 1.8))
    distances[18:, 1] = 1e30
    assert estimate_dimension(distances)[0].dimension == pytest.approx(found.dimension)


def pareto_distances(n: int, dimension: float, seed: int) -> np.ndarray:
    ratios = np.random.default_rng(seed).random(n) ** (-1 / dimension)
    return np.column_stack([np.ones(n), ratios])


def test_standard_error_is_that_of_repeated_samples():
    found = [estimate_dimension(pareto_distances(1000, 8, seed))[0] for seed in range(200)]
    spread = np.std([estimate.dimension for estimate in found], ddof=1)
    assert np.mean([estimate.error for estimate in found]) == pytest.approx(spread, rel=0.15)
    assert np.mean([estimate.error for estimate in found]) == pytest.approx(8 / np.sqrt(900), rel=0.02)
    assert np.mean([estimate.dimension for estimate in found]) == pytest.approx(8, abs=4 * spread / np.sqrt(200))


def test_mean_of_the_outcomes_in_a_resample_is_the_dimension_of_the_resample():
    distances = pareto_distances(5000, 8, seed=0)
    drawn = np.random.default_rng(1).integers(0, 5000, 5000)
    found, _ = estimate_dimension(distances)
    resampled, _ = estimate_dimension(distances[drawn])
    assert abs(resampled.dimension - found.dimension) > 0.02
    assert found.outcomes[drawn].mean() == pytest.approx(resampled.dimension, abs=0.01)


def test_held_out_points_see_the_dimension_of_the_training_points():
    distances = find_distances(cube(4000, 3), 0.1 + 0.8 * cube(2000, 3, seed=1))
    found, _ = estimate_dimension(distances)
    assert found.dimension == pytest.approx(3, abs=3 * found.error)


def test_images_with_an_exact_copy_are_left_out_and_counted():
    rows = cube(600, 4)
    rows[:50] = rows[50:100]
    distances = find_distances(rows)
    found, reason = estimate_dimension(distances)
    assert reason is None and found.n_left_out == 100
    assert np.isnan(found.outcomes[:100]).all() and not np.isnan(found.outcomes[100:]).any()
    assert found.dimension == pytest.approx(estimate_dimension(distances[100:])[0].dimension)
    assert np.nanmean(found.outcomes) == pytest.approx(found.dimension)


@pytest.mark.parametrize(
    ("distances", "reason"),
    [
        (np.zeros((40, 3)), "Only 0 of 40 images differ from their nearest neighbor."),
        (np.zeros((0, 3)), "Only 0 of 0 images differ from their nearest neighbor."),
        (np.array([[0, 1], [1, 2], [1, 3]]), "Only 2 of 3 images differ from their nearest neighbor."),
        (np.ones((40, 3)), "The two nearest neighbors are at the same distance from each image."),
        (np.ones((40, 1)), "The images have fewer than two neighbors."),
    ],
)
def test_dimension_that_is_not_defined_has_a_reason(distances, reason):
    assert estimate_dimension(distances.astype(np.float32)) == (None, reason)
