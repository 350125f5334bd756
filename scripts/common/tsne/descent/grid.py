"""The repulsion of all points, from a potential on a grid."""

import math
from functools import lru_cache

import numpy as np
from scipy import fft

from common.numba_setup import compiled
from common.tsne.descent.pool import BlockPool

SPACING = 0.5  # between nodes, in units of the embedding; the repulsion is then more accurate than openTSNE's
SHIFTS = (0, 0.5)  # of the two grids, in nodes
MIN_NODES = 50  # across the embedding; a small embedding gets a finer grid
MARGIN = 6  # nodes: one left of a point and two right, one for the shift, one for rounding, and the last
MIN_SPACING = 1e-12  # for points that all coincide


@compiled
def _weights(t: float) -> tuple:
    """Return the cubic B-splines of the four nodes around a point that lies t, 0 to 1, behind the second."""
    sixth, s = np.float32(1 / 6), np.float32(1) - t
    return (
        sixth * s * s * s,
        np.float32(2 / 3) - t * t * (np.float32(1) - np.float32(0.5) * t),
        np.float32(2 / 3) - s * s * (np.float32(1) - np.float32(0.5) * s),
        sixth * t * t * t,
    )


@compiled
def _slopes(t: float) -> tuple:
    """Return the derivatives of `_weights`."""
    half, s = np.float32(0.5), np.float32(1) - t
    return (
        -half * s * s,
        t * (np.float32(1.5) * t - np.float32(2)),
        s * (np.float32(2) - np.float32(1.5) * s),
        half * t * t,
    )


@compiled
def _spread(points, grids, first, last):  # noqa: ANN001, ANN202
    """Spread each point (shifts, 2, n), in units of nodes, onto the nodes of its shift's grid around it."""
    for shift in range(first, last):
        for i in range(points.shape[2]):
            x, y = points[shift, 0, i], points[shift, 1, i]
            column, row = np.uint32(x), np.uint32(y)
            across, down = _weights(x - np.float32(column)), _weights(y - np.float32(row))
            for a in range(4):
                for b in range(4):
                    grids[shift, column + a - 1, row + b - 1] += across[a] * down[b]


@compiled
def _multiply(spectra, kernel, first, last):  # noqa: ANN001, ANN202
    """Multiply rows of the spectra (shifts, 2 width, frequencies) by the kernel, a quarter of its transform."""
    for row in range(first, last):
        factors = kernel[min(row, spectra.shape[1] - row)]
        for shift in range(len(spectra)):
            for column in range(len(factors)):
                spectra[shift, row, column] *= factors[column]


@compiled
def _add_slopes(points, potentials, factor, forces, first, last):  # noqa: ANN001, ANN202
    """Add the gradients of the potentials at points (shifts, 2, n), in units of nodes, times `factor`, to forces."""
    for shift in range(len(points)):
        potential = potentials[shift]
        for i in range(first, last):
            column, row = np.uint32(points[shift, 0, i]), np.uint32(points[shift, 1, i])
            t, s = points[shift, 0, i] - np.float32(column), points[shift, 1, i] - np.float32(row)
            across, down, across_slopes, down_slopes = _weights(t), _weights(s), _slopes(t), _slopes(s)
            x = y = np.float32(0)
            for a in range(4):
                value = slope = np.float32(0)
                for b in range(4):
                    node = potential[column + a - 1, row + b - 1]
                    value += down[b] * node
                    slope += down_slopes[b] * node
                x += across_slopes[a] * value
                y += across[a] * slope
            forces[0, i] += factor * x
            forces[1, i] += factor * y


@compiled
def _sum_products(grids, potentials, sums, first, last):  # noqa: ANN001, ANN202
    """Write the sum of each row's products of the grids and the potentials (shifts, width, height) to sums (width,)."""
    for row in range(first, last):
        total = 0.0
        for shift in range(len(grids)):
            part = np.float32(0)  # a row is short enough for single precision
            for column in range(grids.shape[2]):
                part += grids[shift, row, column] * potentials[shift, row, column]
            total += part
        sums[row] = total


@lru_cache(maxsize=4)
def _kernel(size: tuple[int, int], spacing: float) -> tuple[np.ndarray, float]:
    """Return the transform of the kernel for a grid of this size, padded to twice that, and the subtracted constant.

    The transform is real and even in both directions, so only its quarter from frequency 0 on, (size + 1) float32, is
    returned. The smallest value of w on the grid is subtracted: a constant exerts no force, and while the embedding is
    small, w differs from 1 only in digits beyond single precision.
    """
    x, y = (spacing * np.arange(nodes + 1) for nodes in size)
    squares = x[:, None] ** 2 + y**2
    farthest = squares[-1, -1]
    kernel = fft.dctn((farthest - squares) / ((1 + squares) * (1 + farthest)), type=1)
    for axis, nodes in zip(((slice(None), None), (None, slice(None))), size, strict=True):
        kernel /= ((2 + np.cos(np.arange(nodes + 1) * np.pi / nodes)) / 3)[axis] ** 2
    return kernel.astype(np.float32), 1 / (1 + farthest)


def _nodes(span: float) -> int:
    """Return how many nodes a grid needs in one direction for a span, in nodes: a number that is fast to transform."""
    return fft.next_fast_len(math.ceil(span) + MARGIN, real=True)


def repel_on_grid(points: np.ndarray, spacing: float, pool: BlockPool) -> tuple[np.ndarray, float]:
    """Return the repulsion of points (2, n) and Z, from a grid (finer for a small embedding)."""
    low, high = points.min(axis=1), points.max(axis=1)
    widest = float((high - low).max())
    while widest < MIN_NODES * spacing and spacing > MIN_SPACING:
        spacing /= 2
    size = tuple(_nodes(float(span) / spacing) for span in high - low)
    kernel, constant = _kernel(size, spacing)
    count, (width, height) = points.shape[1], size
    shifts = np.float32(1) + np.array(SHIFTS, np.float32)[:, None, None]
    scaled = (points - low[:, None]) * np.float32(1 / spacing) + shifts
    grids = np.zeros((len(SHIFTS), width, height), np.float32)
    pool.run(len(SHIFTS), _spread, scaled, grids)
    spectra = fft.rfft(grids, 2 * height, workers=pool.threads)
    spectra = fft.fft(spectra, 2 * width, axis=1, overwrite_x=True, workers=pool.threads)
    pool.run(2 * width, _multiply, spectra, kernel)
    spectra = fft.ifft(spectra, axis=1, overwrite_x=True, workers=pool.threads)[:, :width]
    potentials = fft.irfft(spectra, 2 * height, workers=pool.threads)
    forces, sums = np.zeros_like(points), np.empty(width)
    pool.run(count, _add_slopes, scaled, potentials, np.float32(-0.5 / spacing / len(SHIFTS)), forces)
    # the potential summed over the points is that of the nodes, weighted by what was spread onto them
    pool.run(width, _sum_products, grids, potentials, sums)
    return forces, float(sums.sum()) / len(SHIFTS) + constant * count**2 - count
