"""The repulsion between all points: exact for few points, from a grid for many."""

import math

import numpy as np

from common.numba_setup import compiled
from common.tsne.descent.grid import SPACING, repel_on_grid
from common.tsne.descent.pool import BlockPool

EXACT_PAIRS = 16_000_000  # pairs of points that are summed faster directly than on a grid
FAR_PAIRS = 40_000_000  # pairs of a distant point with any other; more would take longer than a coarser grid


@compiled
def _repel_pairs(targets, sources, forces, potentials, first, last):  # noqa: ANN001, ANN202
    """Add sums over all sources (2, m): of w^2 times the offset to forces (2, n), of w to potentials (n,)."""
    one = np.float32(1)
    for i in range(first, last):
        x = y = np.float32(0)
        total = 0.0  # double precision: for few distant points Z is small beside each point's 1 with itself
        for j in range(sources.shape[1]):
            dx, dy = targets[0, i] - sources[0, j], targets[1, i] - sources[1, j]
            weight = one / (one + dx * dx + dy * dy)
            total += weight
            x += weight * weight * dx
            y += weight * weight * dy
        forces[0, i] += x
        forces[1, i] += y
        potentials[i] += total


@compiled
def _sum_weights(points, sums, first, last):  # noqa: ANN001, ANN202
    """Write each point's sum of w over all points (2, n), its 1 with itself included, to sums (n,)."""
    one = np.float32(1)
    for i in range(first, last):
        own_x, own_y, total = points[0, i], points[1, i], 0.0
        for start in range(0, points.shape[1], 1024):  # single precision is accurate enough for 1024 terms
            xs, ys = points[0, start : start + 1024], points[1, start : start + 1024]
            part = np.float32(0)
            for j in range(len(xs)):
                dx, dy = own_x - xs[j], own_y - ys[j]
                part += one / (one + dx * dx + dy * dy)
            total += part
        sums[i] = total


def repulsion(points: np.ndarray, pool: BlockPool) -> tuple[np.ndarray, float]:
    """Return the repulsion of points (2, n) float32, sum_j w_ij^2 (y_i - y_j), (2, n) float32, and Z, the sum of w_ij.

    The sums are exact for few points. They are also exact for pairs with a point far from the others, so that such a
    point does not enlarge the grid. If there are too many of these pairs, the grid becomes coarser. Raises
    FloatingPointError if a coordinate is not finite.
    """
    count = points.shape[1]
    span = float(np.ptp(points, axis=1).max())
    if not math.isfinite(span):
        raise FloatingPointError("The embedding has coordinates that are not finite.")
    if count**2 <= EXACT_PAIRS:
        forces, potentials = np.zeros_like(points), np.zeros(count)
        pool.run(count, _repel_pairs, points, points, forces, potentials)
        return forces, float(potentials.sum()) - count

    spacing, most_nodes = SPACING, max(512, 6 * math.sqrt(count))
    if span <= most_nodes * spacing:
        return repel_on_grid(points, spacing, pool)
    offsets = np.abs(points - np.median(points, axis=1)[:, None]).max(axis=0)
    while (far := offsets > spacing * most_nodes / 2).sum() * count > FAR_PAIRS:
        spacing *= 2
    inner, outer = np.ascontiguousarray(points[:, ~far]), np.ascontiguousarray(points[:, far])
    inner_forces, normalization = repel_on_grid(inner, spacing, pool)
    outer_forces, potentials = np.zeros_like(outer), np.zeros(count)
    pool.run(inner.shape[1], _repel_pairs, inner, outer, inner_forces, potentials[outer.shape[1] :])
    pool.run(outer.shape[1], _repel_pairs, outer, points, outer_forces, potentials[: outer.shape[1]])
    forces = np.empty_like(points)
    forces[:, ~far], forces[:, far] = inner_forces, outer_forces
    return forces, normalization + float(potentials.sum()) - outer.shape[1]


def exact_normalization(points: np.ndarray, threads: int) -> float:
    """Return Z of points (n, 2), summed over all pairs."""
    sums = np.empty(len(points))
    with BlockPool(threads) as pool:
        pool.run(len(points), _sum_weights, np.ascontiguousarray(points.T, np.float32), sums)
    return float(sums.sum()) - len(points)
