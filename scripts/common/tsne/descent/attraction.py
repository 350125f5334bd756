"""The attraction between neighbors, and the KL divergence."""

import math

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import reverse_cuthill_mckee

from common.numba_setup import compiled
from common.tsne.descent.pool import BlockPool


@compiled
def _xy(pair: int) -> tuple:
    """Return the two float32 in eight bytes; one read instead of two, since most time is spent on memory access."""
    return np.uint32(pair & np.uint64(0xFFFFFFFF)).view(np.float32), np.uint32(pair >> np.uint64(32)).view(np.float32)


@compiled
def _attract(starts, others, affinities, pairs, forces, first, last):  # noqa: ANN001, ANN202
    """Write each row's sum of p w times the offset to forces (2, n); the points are pairs (n,) of coordinates."""
    one = np.float32(1)
    for i in range(first, last):
        own_x, own_y = _xy(pairs[i])
        force_x = force_y = np.float32(0)
        for k in range(starts[i], starts[i + 1]):
            x, y = _xy(pairs[others[k]])
            dx, dy = own_x - x, own_y - y
            pull = affinities[k] / (one + dx * dx + dy * dy)
            force_x += pull * dx
            force_y += pull * dy
        forces[0, i], forces[1, i] = force_x, force_y


@compiled
def _strain(starts, others, affinities, points, strains, first, last):  # noqa: ANN001, ANN202
    """Write each row's sum of p log(1 + r^2) to strains (n,)."""
    one = np.float32(1)
    for i in range(first, last):
        total = np.float32(0)
        for k in range(starts[i], starts[i + 1]):
            dx, dy = points[0, i] - points[0, others[k]], points[1, i] - points[1, others[k]]
            total += affinities[k] * math.log(one + dx * dx + dy * dy)
        strains[i] = total


class Attraction:
    """The attraction between points with fixed affinities.

    Points are to be given in the order `order` (n,), which puts neighbors near each other in memory (Cuthill and McKee
    1969).
    """

    def __init__(self, affinities: csr_matrix) -> None:
        """Use symmetric affinities (n, n)."""
        self.order = reverse_cuthill_mckee(affinities, symmetric_mode=True)
        ordered = affinities.astype(np.float32)[self.order][:, self.order]
        self.rows = ordered.indptr.astype(np.uint64), ordered.indices.astype(np.uint32), ordered.data
        positive = affinities.data[affinities.data > 0]
        self.sum, self.constant = positive.sum(), (positive * np.log(positive)).sum()

    def forces(self, points: np.ndarray, pool: BlockPool) -> np.ndarray:
        """Return sum_j p_ij w_ij (y_i - y_j), (2, n) float32, of points (2, n) float32."""
        forces = np.empty_like(points)
        pairs = np.ascontiguousarray(points.T).view("<u8")[:, 0]
        pool.run(points.shape[1], _attract, *self.rows, pairs, forces)
        return forces

    def divergence(self, points: np.ndarray, normalization: float, pool: BlockPool) -> float:
        """Return the KL divergence, in nats, of points (2, n) float32 whose sum of all w is `normalization`."""
        strains = np.empty(points.shape[1], np.float32)
        pool.run(points.shape[1], _strain, *self.rows, points, strains)
        return float(self.constant + strains.sum(dtype=np.float64) + self.sum * math.log(normalization))
