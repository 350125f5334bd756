"""The KL divergence against its definition."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from common.tsne import objective
from common.tsne.objective import kl_divergence


@pytest.fixture(scope="module")
def coordinates():
    return np.random.default_rng(0).normal(size=(400, 2)).astype(np.float32)


@pytest.mark.parametrize("threads", [1, 2])
def test_divergence_is_that_of_the_definition(coordinates, affinities, threads):
    p = affinities.P.toarray()
    q = 1 / (1 + ((coordinates[:, None].astype(np.float64) - coordinates) ** 2).sum(axis=2))
    np.fill_diagonal(q, 0)
    q /= q.sum()
    expected = (p[p > 0] * np.log(p[p > 0] / q[p > 0])).sum()
    assert kl_divergence(coordinates, affinities.P, threads) == pytest.approx(expected, rel=1e-5)


def test_divergence_is_summed_over_all_blocks_of_rows(coordinates, affinities, monkeypatch):
    expected = kl_divergence(coordinates, affinities.P)
    monkeypatch.setattr(objective, "BLOCK", 90)
    assert kl_divergence(coordinates, affinities.P) == pytest.approx(expected, rel=1e-12)


def test_affinities_of_zero_add_nothing():
    coordinates = np.array([[0, 0], [1, 0], [0, 2]], np.float32)
    p = csr_matrix(([0.5, 0.5, 0.0], ([0, 1, 2], [1, 0, 0])), shape=(3, 3))
    z = 2 * (1 / 2 + 1 / 5 + 1 / 6)
    assert kl_divergence(coordinates, p) == pytest.approx(np.log(0.5 / (1 / 2 / z)), rel=1e-6)
