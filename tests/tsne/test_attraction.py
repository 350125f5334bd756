"""The attraction between neighbors, and the divergence that the optimizer reports, against their definitions."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from common.tsne.descent.attraction import Attraction
from common.tsne.descent.pool import BlockPool
from common.tsne.descent.repulsion import exact_normalization
from common.tsne.objective import kl_divergence


@pytest.fixture(scope="module")
def points():
    return (5 * np.random.default_rng(0).normal(size=(400, 2))).astype(np.float32)


@pytest.mark.parametrize("threads", [1, 2])
def test_forces_are_those_of_the_definition(affinities, points, threads):
    attraction, p = Attraction(affinities.P), affinities.P.toarray()
    offsets = points[:, None].astype(np.float64) - points
    pulls = p / (1 + (offsets**2).sum(axis=2))
    expected = (pulls[..., None] * offsets).sum(axis=1)
    with BlockPool(threads) as pool:
        forces = attraction.forces(np.ascontiguousarray(points[attraction.order].T), pool)
    assert forces.dtype == np.float32 and np.allclose(forces.T, expected[attraction.order], rtol=1e-3, atol=1e-8)


def test_divergence_is_that_of_the_definition(affinities, points, pool):
    attraction = Attraction(affinities.P)
    ordered = np.ascontiguousarray(points[attraction.order].T)
    divergence = attraction.divergence(ordered, exact_normalization(points, 1), pool)
    assert divergence == pytest.approx(kl_divergence(points, affinities.P), abs=1e-5)


def test_affinities_of_zero_add_nothing_to_the_divergence(pool):
    p = csr_matrix(([0.5, 0.5, 0.0, 0.0], ([0, 1, 1, 2], [1, 0, 2, 1])), shape=(3, 3))
    attraction, points = Attraction(p), np.array([[0, 0], [1, 0], [0, 2]], np.float32)
    divergence = attraction.divergence(np.ascontiguousarray(points[attraction.order].T), 5.0, pool)
    assert divergence == pytest.approx(np.log(0.5 * 2 * 5.0), rel=1e-6)


def test_order_puts_neighbors_near_each_other(affinities):
    order = Attraction(affinities.P).order
    assert np.array_equal(np.sort(order), np.arange(400))
    place = np.argsort(order)
    pairs = affinities.P.tocoo()
    assert abs(place[pairs.row] - place[pairs.col]).mean() < 0.6 * abs(pairs.row - pairs.col).mean()
