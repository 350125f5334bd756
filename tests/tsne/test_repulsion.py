"""The repulsion and its normalization against sums over all pairs in double precision."""

import numpy as np
import pytest
from openTSNE import TSNEEmbedding
from openTSNE._tsne import estimate_negative_gradient_fft_2d
from scipy.spatial.distance import pdist

from common.tsne.descent import grid
from common.tsne.descent.optimizer import Descent
from common.tsne.descent.pool import BlockPool
from common.tsne.descent.repulsion import exact_normalization, repulsion

N = 5000  # more points than are summed exactly
SAMPLE = np.arange(0, N, 10)


def clusters(n_clusters, size, spread, seed=0):
    """Return points as dense as an embedding of images: some clusters are thin, some far from the others."""
    generator = np.random.default_rng(seed)
    centers = generator.uniform(-spread, spread, (n_clusters, 1, 2))
    widths = generator.uniform(2, 12, (n_clusters, 1, 1))
    return (centers + widths * generator.normal(size=(n_clusters, size, 2))).reshape(-1, 2)


SHAPES = {
    "start": 1e-4 * np.random.default_rng(1).normal(size=(N, 2)) * [1, 0.8],
    "small": 0.05 * np.random.default_rng(2).normal(size=(N, 2)),
    "intermediate": 3 * np.random.default_rng(3).normal(size=(N, 2)),
    "wide": clusters(10, N // 10, 40),
    "narrow": clusters(10, N // 10, 40) * [1, 0.01],
    "off the origin": clusters(10, N // 10, 40) + np.array([500, -300]),
    "with duplicates": np.concatenate([clusters(10, 300, 40), np.repeat(clusters(1, 100, 40), 20, axis=0)]),
}


# The relative errors that the grid may have, of the forces and of the normalization
ERRORS = {
    "start": (5e-5, 1e-7),
    "small": (5e-5, 1e-6),
    "intermediate": (2e-3, 3e-5),
    "wide": (9e-3, 6e-4),
    "narrow": (1.7e-2, 1.2e-3),
    "off the origin": (9e-3, 6e-4),
    "with duplicates": (1.3e-2, 1e-3),
}


def exact(points, some):
    """Return the repulsion of some points (n, 2), and each one's part of Z."""
    points = np.asarray(points, np.float32).astype(np.float64)
    offsets = points[some, None] - points
    weights = 1 / (1 + (offsets**2).sum(axis=2))
    return (weights[..., None] ** 2 * offsets).sum(axis=1), weights.sum(axis=1) - 1


def force_error(points, some, threads=1):
    """Return the relative error of the repulsion of some points (n, 2)."""
    with BlockPool(threads) as pool:
        forces, _ = repulsion(np.ascontiguousarray(points.T, np.float32), pool)
    expected, _ = exact(points, some)
    return np.linalg.norm(forces.T[some] - expected) / np.linalg.norm(expected)


@pytest.mark.parametrize("shape", SHAPES)
def test_forces_are_those_of_the_definition(shape):
    assert force_error(SHAPES[shape], SAMPLE) < ERRORS[shape][0]


@pytest.mark.parametrize("shape", ["wide", "narrow", "with duplicates"])
def test_forces_are_at_least_as_accurate_as_those_of_opentsne(shape):
    points = np.asarray(SHAPES[shape], np.float32).astype(np.float64)
    forces = np.zeros_like(points)
    normalization = estimate_negative_gradient_fft_2d(points, forces)
    expected, _ = exact(points, SAMPLE)
    error = np.linalg.norm(-normalization * forces[SAMPLE] - expected) / np.linalg.norm(expected)
    assert force_error(SHAPES[shape], SAMPLE) < error


@pytest.mark.parametrize("shape", SHAPES)
def test_normalization_is_that_of_the_definition(shape, pool):
    points = np.asarray(SHAPES[shape], np.float32)
    expected = 2 * (1 / (1 + pdist(points, "sqeuclidean"))).sum()
    assert repulsion(np.ascontiguousarray(points.T), pool)[1] == pytest.approx(expected, rel=ERRORS[shape][1])


@pytest.mark.parametrize("n", [1, 10, 100, 1000, 4000])
def test_few_points_are_summed_exactly(n, pool):
    points, some = SHAPES["wide"][:: N // n][:n], np.arange(0, n, max(1, n // 400))
    forces, normalization = repulsion(np.ascontiguousarray(points.T, np.float32), pool)
    expected, _ = exact(points, some)
    assert np.allclose(forces.T[some], expected, rtol=1e-4, atol=1e-5 * abs(expected).max())
    sum_of_weights = 2 * (1 / (1 + pdist(points.astype(np.float32), "sqeuclidean"))).sum()
    assert normalization == pytest.approx(sum_of_weights, rel=1e-6, abs=1e-6)


def test_forces_among_50_000_points_are_those_of_the_definition():
    assert force_error(clusters(40, 1250, 90), np.arange(0, 50_000, 500)) < 6e-3


@pytest.mark.parametrize("shape", ["wide", "with far points", "few"])
def test_repulsion_does_not_depend_on_the_number_of_threads(shape):
    points = SHAPES["wide"][: 1000 if shape == "few" else N].astype(np.float32)
    if shape == "with far points":
        points[::500] *= 1000
    results = []
    for threads in (1, 3):
        with BlockPool(threads) as pool:
            results.append(repulsion(np.ascontiguousarray(points.T), pool))
    assert np.array_equal(results[0][0], results[1][0]) and results[0][1] == results[1][1]


def test_points_that_coincide_repel_nothing(pool):
    forces, normalization = repulsion(np.full((2, N), 3, np.float32), pool)
    assert abs(forces).max() < 1e-6 and normalization == pytest.approx(N * (N - 1))


@pytest.fixture
def grids(monkeypatch):
    """The sizes and spacings of the grids that are used."""
    grids, kernel = [], grid._kernel
    monkeypatch.setattr(grid, "_kernel", lambda *arguments: grids.append(arguments) or kernel(*arguments))
    return grids


@pytest.mark.parametrize("distance", [1e3, 1e6])
def test_far_points_cost_neither_accuracy_nor_a_large_grid(distance, grids, pool):
    directions = np.random.default_rng(0).normal(size=(30, 2))
    far = distance * directions / np.linalg.norm(directions, axis=1)[:, None]
    points = np.concatenate([SHAPES["wide"], far]).astype(np.float32)
    assert force_error(points, SAMPLE) < 9e-3
    assert force_error(points, np.arange(N, N + 30)) < 1e-3, "far points are summed"
    assert max(max(size) for size, _ in grids) < 1000
    expected = 2 * (1 / (1 + pdist(points, "sqeuclidean"))).sum()
    assert repulsion(np.ascontiguousarray(points.T), pool)[1] == pytest.approx(expected, rel=6e-4)


def test_too_many_far_points_make_the_grid_coarser(grids, pool):
    points = np.random.default_rng(0).uniform(-1e5, 1e5, (2, 20_000)).astype(np.float32)
    forces, _ = repulsion(points, pool)
    assert np.isfinite(forces).all()
    [(size, spacing)] = grids
    assert 400 < max(size) < 1000 and spacing > 100


def test_grid_has_the_spacing_for_a_wide_embedding_and_fifty_nodes_for_a_small_one(grids, pool):
    for scale, spacing in (100, 0.5), (1, 0.02):
        points = scale * np.random.default_rng(0).random((2, N), np.float32)
        repulsion(points, pool)
        size, used = grids.pop()
        assert spacing / 2 < used <= spacing and all(scale / used < nodes < 1.2 * scale / used + 10 for nodes in size)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_coordinates_that_are_not_finite_are_refused(value, pool):
    points = np.zeros((2, N), np.float32)
    points[0, 7] = value
    with pytest.raises(FloatingPointError, match="The embedding has coordinates that are not finite"):
        repulsion(points, pool)


@pytest.mark.parametrize("threads", [1, 2])
def test_exact_normalization_is_that_of_the_definition(threads):
    for points in SHAPES["wide"], SHAPES["start"], SHAPES["wide"][:7]:
        expected = 2 * (1 / (1 + pdist(points.astype(np.float32), "sqeuclidean"))).sum()
        assert exact_normalization(points, threads) == pytest.approx(expected, rel=1e-6)


@pytest.mark.slow
def test_repulsion_is_accurate_in_every_stage_of_an_optimization(pixels, pool):
    affinities, start = pixels
    stages = [start]
    embedding = TSNEEmbedding(start, affinities, optimizer=Descent(), negative_gradient_method="bh", random_state=0)
    for iterations, exaggeration in ((1, 12), (20, 12), (129, 12), (10, 1), (50, 1), (190, 1)):
        embedding.optimize(iterations, inplace=True, exaggeration=exaggeration, learning_rate=N / exaggeration)
        stages.append(np.array(embedding, np.float32))
    assert max(np.ptp(stages[0], axis=0)) < 0.01 and max(np.ptp(stages[-1], axis=0)) > 60
    for points in stages:
        assert force_error(points, SAMPLE) < 0.018
        _, normalization = repulsion(np.ascontiguousarray(points.T, np.float32), pool)
        assert normalization == pytest.approx(2 * (1 / (1 + pdist(points, "sqeuclidean"))).sum(), rel=1.3e-3)
