"""t-SNE's gradient descent in two dimensions, fast on a CPU, behind openTSNE's argument `optimizer`.

    embedding = openTSNE.TSNEEmbedding(start, affinities, optimizer=Descent(), n_jobs=2)
    embedding.optimize(500, inplace=True)

With w(r) = 1 / (1 + r^2) between two points and Z, its sum over all ordered pairs, the gradient of the KL divergence is
(van der Maaten and Hinton 2008, section 3), but for the factor 4 that openTSNE leaves out as well,

    sum_j p_ij w_ij (y_i - y_j)  -  1/Z sum_j w_ij^2 (y_i - y_j).

The first sum, the attraction, has few terms, since few p_ij are not 0. The second, the repulsion, is a derivative: with
the potential f(y) = sum_j w(|y - y_j|), it is -1/2 grad f(y_i), and Z = sum_i f(y_i) - n. So one potential is all that
is needed, computed on a grid by a fast Fourier transform (an idea of Linderman et al. 2019,
https://doi.org/10.1038/s41592-018-0308-4, who interpolate three or four of them, by polynomials).

As in the smooth particle mesh Ewald method (Essmann et al. 1995, https://doi.org/10.1063/1.470117), the points are
spread onto the grid by cubic B-splines, and the potential at a point is the spline through the grid's values, whose
derivative is exact: there is no difference of large sums, and single precision is enough. Seen as a function of the two
points, w is replaced by the tensor product spline that agrees with it wherever both are nodes of the grid; in the
Fourier domain, that is w's transform divided by the square of the sampled B-spline's (Unser, Aldroubi and Eden 1993,
https://doi.org/10.1109/78.193220). The grid is padded to twice its size, where the cyclic convolution is the true one;
rows and columns known to be 0, or of no interest, are not transformed. The error depends on where a point lies between
the nodes; its largest part has opposite signs on two grids that are half a node apart, of which the mean is taken
(interlacing: Hockney and Eastwood 1988, section 7-8). That halves the error on a dense map; where the map is thin, or
points lie on each other, it is a tenth.

Results are the same, to the bit, with any number of threads: each does whole blocks, which are always the same.
"""

import math
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import pairwise
from types import TracebackType
from typing import Any, Self

import numpy as np
from openTSNE.tsne import OptimizationInterrupt, gradient_descent
from scipy import fft
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import reverse_cuthill_mckee

from common.compiled import compiled

SPACING = 0.4  # of the grid's nodes, in the map's units; on MNIST's maps the repulsion is then wrong by 0.8 %
SHIFTS = (0, 0.5)  # of the two grids, in nodes
FEWEST_NODES = 50  # across the map; on a smaller map they are nearer to each other
MARGIN = 6  # nodes: one to the left of a point and two to the right, one for the shift, one for rounding, and the last
FINEST_SPACING = 1e-12  # where all points are one
EXACT_PAIRS = 16_000_000  # so many, of all points with each other, are summed faster than by a grid
FAR_PAIRS = 40_000_000  # so many of far points with all others; more would take longer than a coarser grid
BLOCKS = 16


class Crew:
    """Threads that share the work on fixed blocks. Whoever waits, sleeps."""

    def __init__(self, threads: int) -> None:
        """So many threads, the calling one among them."""
        self.threads = threads
        self.pool = ThreadPoolExecutor(threads - 1) if threads > 1 else None

    def __enter__(self) -> Self:
        """For a with statement, at whose end the threads are."""
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End the threads."""
        if self.pool:
            self.pool.shutdown(cancel_futures=True)

    def share(self, count: int, work: Callable, *arguments: Any) -> None:
        """Call `work(*arguments, first, last)`, which is to release the GIL, for blocks that make up range(count)."""
        blocks = list(pairwise(np.linspace(0, count, BLOCKS + 1).astype(int).tolist()))
        futures = [self.pool.submit(work, *arguments, *block) if self.pool else None for block in blocks]
        for block, future in reversed(list(zip(blocks, futures, strict=True))):  # the others begin with the first
            if future is None or future.cancel():
                work(*arguments, *block)
            else:
                future.result()


@compiled
def _weights(t: float) -> tuple:
    """The cubic B-splines of the four nodes about a point that lies t, 0 to 1, behind the second."""
    sixth, s = np.float32(1 / 6), np.float32(1) - t
    return (
        sixth * s * s * s,
        np.float32(2 / 3) - t * t * (np.float32(1) - np.float32(0.5) * t),
        np.float32(2 / 3) - s * s * (np.float32(1) - np.float32(0.5) * s),
        sixth * t * t * t,
    )


@compiled
def _slopes(t: float) -> tuple:
    """The derivatives of `_weights`."""
    half, s = np.float32(0.5), np.float32(1) - t
    return (
        -half * s * s,
        t * (np.float32(1.5) * t - np.float32(2)),
        s * (np.float32(2) - np.float32(1.5) * s),
        half * t * t,
    )


@compiled
def _spread(places, grid):  # noqa: ANN001, ANN202
    """Add each of the places (2, n), in nodes, to the nodes of the grid about it."""
    for i in range(places.shape[1]):
        column, row = np.uint32(places[0, i]), np.uint32(places[1, i])
        across, down = _weights(places[0, i] - np.float32(column)), _weights(places[1, i] - np.float32(row))
        for a in range(4):
            for b in range(4):
                grid[column + a - 1, row + b - 1] += across[a] * down[b]


@compiled
def _add_slopes(places, potential, factor, forces, first, last):  # noqa: ANN001, ANN202
    """Add the gradient of the potential at places (2, n), in nodes, times the factor, to forces (2, n)."""
    for i in range(first, last):
        column, row = np.uint32(places[0, i]), np.uint32(places[1, i])
        t, s = places[0, i] - np.float32(column), places[1, i] - np.float32(row)
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
def _repel_pairs(targets, sources, forces, potentials, first, last):  # noqa: ANN001, ANN202
    """Add sums over all sources (2, m), of w^2 times the offset to forces (2, n), of w to potentials (n,)."""
    one = np.float32(1)
    for i in range(first, last):
        x = y = np.float32(0)
        total = 0.0  # double: of few points far from each other, Z is little beside each one's 1 with itself
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
    """Write each point's sum of w over all points (2, n), its 1 with itself among them, to sums (n,)."""
    one = np.float32(1)
    for i in range(first, last):
        own_x, own_y, total = points[0, i], points[1, i], 0.0
        for start in range(0, points.shape[1], 1024):  # the sum of so many is exact enough in single precision
            xs, ys = points[0, start : start + 1024], points[1, start : start + 1024]
            part = np.float32(0)
            for j in range(len(xs)):
                dx, dy = own_x - xs[j], own_y - ys[j]
                part += one / (one + dx * dx + dy * dy)
            total += part
        sums[i] = total


@compiled
def _xy(pair: int) -> tuple:
    """The two float32 in eight bytes; read together, since the processor's time goes into finding them."""
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


@compiled
def _step(points, updates, gains, attraction, repulsion, factors, first, last):  # noqa: ANN001, ANN202
    """Move the points (2, n) by one step, each coordinate with its own gain, with momentum, no further than allowed."""
    pull, push, rate, momentum, least_gain, longest = factors
    for i in range(first, last):
        square = np.float32(0)
        for axis in range(2):
            gradient = pull * attraction[axis, i] - push * repulsion[axis, i]
            if np.sign(updates[axis, i]) != np.sign(gradient):
                gains[axis, i] += np.float32(0.2)
            else:
                gains[axis, i] = gains[axis, i] * np.float32(0.8) + least_gain
            updates[axis, i] = momentum * updates[axis, i] - rate * gains[axis, i] * gradient
            square += updates[axis, i] * updates[axis, i]
        shorter = longest / math.sqrt(square) if square > longest * longest else np.float32(1)
        for axis in range(2):
            updates[axis, i] *= shorter
            points[axis, i] += updates[axis, i]


@lru_cache(maxsize=4)
def _kernel(size: tuple[int, int], spacing: float) -> tuple[np.ndarray, float]:
    """The transform of the kernel for a grid of this size padded to twice that, and what was taken from the kernel.

    The transform is real and even in both directions; the quarter of it from frequency 0 on, (size + 1) float32, is
    given. From w is taken its least value on the grid: a constant makes no force, and while the map is small, w is 1
    but for digits that single precision does not have.
    """
    x, y = (spacing * np.arange(nodes + 1) for nodes in size)
    squares = x[:, None] ** 2 + y**2
    farthest = squares[-1, -1]
    kernel = fft.dctn((farthest - squares) / ((1 + squares) * (1 + farthest)), type=1)
    for axis, nodes in zip(((slice(None), None), (None, slice(None))), size, strict=True):
        kernel /= ((2 + np.cos(np.arange(nodes + 1) * np.pi / nodes)) / 3)[axis] ** 2
    return kernel.astype(np.float32), 1 / (1 + farthest)


def _nodes(span: float) -> int:
    """How many nodes a grid has in a direction: enough for a span, in nodes, and quick to transform."""
    return fft.next_fast_len(math.ceil(span) + MARGIN, real=True)


def _repel_on_grid(points: np.ndarray, spacing: float, crew: Crew) -> tuple[np.ndarray, float]:
    """`repulsion` by a grid, whose nodes are `spacing` apart, or a fraction of it where the map is small."""
    low, high = points.min(axis=1), points.max(axis=1)
    widest = float((high - low).max())
    while widest < FEWEST_NODES * spacing and spacing > FINEST_SPACING:
        spacing /= 2
    size = tuple(_nodes(float(span) / spacing) for span in high - low)
    kernel, taken = _kernel(size, spacing)
    count, (width, height) = points.shape[1], size
    forces, total = np.zeros_like(points), 0.0
    for shift in SHIFTS:
        places = (points - low[:, None]) * np.float32(1 / spacing) + np.float32(1 + shift)
        grid = np.zeros(size, np.float32)
        _spread(places, grid)
        spectrum = fft.rfft(grid, 2 * height, axis=1, workers=crew.threads)
        spectrum = fft.fft(spectrum, 2 * width, axis=0, overwrite_x=True, workers=crew.threads)
        spectrum[: width + 1] *= kernel
        spectrum[width + 1 :] *= kernel[width - 1 : 0 : -1]
        spectrum = fft.ifft(spectrum, axis=0, overwrite_x=True, workers=crew.threads)[:width]
        potential = fft.irfft(spectrum, 2 * height, axis=1, workers=crew.threads)
        factor = np.float32(-0.5 / spacing / len(SHIFTS))
        crew.share(count, _add_slopes, places, potential, factor, forces)
        # the points' sum of the potential is that of the nodes, each as often as points were spread onto it
        total += (grid * potential[:, :height]).sum(dtype=np.float64) / len(SHIFTS)
    return forces, total + taken * count**2 - count


def repulsion(points: np.ndarray, crew: Crew) -> tuple[np.ndarray, float]:
    """What drives points (2, n) float32 apart: sum_j w_ij^2 (y_i - y_j), (2, n) float32, and Z, the sum of all w_ij.

    The sums are exact for few points, and for the pairs of which one is far from the map, so that no point makes the
    grid much larger than a map of so many points commonly is. Should there be more of these than there is time for,
    the grid becomes coarser. Raises FloatingPointError if a coordinate is not finite.
    """
    count = points.shape[1]
    span = float(np.ptp(points, axis=1).max())
    if not math.isfinite(span):
        raise FloatingPointError("t-SNE's map has coordinates that are not finite")
    if count**2 <= EXACT_PAIRS:
        forces, potentials = np.zeros_like(points), np.zeros(count)
        crew.share(count, _repel_pairs, points, points, forces, potentials)
        return forces, float(potentials.sum()) - count

    spacing, most_nodes = SPACING, max(512, 6 * math.sqrt(count))
    if span <= most_nodes * spacing:
        return _repel_on_grid(points, spacing, crew)
    offsets = np.abs(points - np.median(points, axis=1)[:, None]).max(axis=0)
    while (far := offsets > spacing * most_nodes / 2).sum() * count > FAR_PAIRS:
        spacing *= 2
    inner, outer = np.ascontiguousarray(points[:, ~far]), np.ascontiguousarray(points[:, far])
    inner_forces, normalization = _repel_on_grid(inner, spacing, crew)
    outer_forces, potentials = np.zeros_like(outer), np.zeros(count)
    crew.share(inner.shape[1], _repel_pairs, inner, outer, inner_forces, potentials[outer.shape[1] :])
    crew.share(outer.shape[1], _repel_pairs, outer, points, outer_forces, potentials[: outer.shape[1]])
    forces = np.empty_like(points)
    forces[:, ~far], forces[:, far] = inner_forces, outer_forces
    return forces, normalization + float(potentials.sum()) - outer.shape[1]


def exact_normalization(points: np.ndarray, threads: int) -> float:
    """Z of points (n, 2), summed over all pairs."""
    sums = np.empty(len(points))
    with Crew(threads) as crew:
        crew.share(len(points), _sum_weights, np.ascontiguousarray(points.T, np.float32), sums)
    return float(sums.sum()) - len(points)


class Attraction:
    """What draws points to their neighbors, by affinities that stay.

    `order` (n,) is the order in which the points are to be given: neighbors beside each other, where the processor
    finds them sooner (Cuthill and McKee 1969).
    """

    def __init__(self, affinities: csr_matrix) -> None:
        """By symmetric affinities (n, n)."""
        self.order = reverse_cuthill_mckee(affinities, symmetric_mode=True)
        ordered = affinities.astype(np.float32)[self.order][:, self.order]
        ordered.sort_indices()
        self.rows = ordered.indptr.astype(np.uint64), ordered.indices.astype(np.uint32), ordered.data
        positive = affinities.data[affinities.data > 0]
        self.sum, self.constant = positive.sum(), (positive * np.log(positive)).sum()

    def forces(self, points: np.ndarray, crew: Crew) -> np.ndarray:
        """sum_j p_ij w_ij (y_i - y_j), (2, n) float32, of points (2, n) float32."""
        forces = np.empty_like(points)
        pairs = np.ascontiguousarray(points.T).view("<u8")[:, 0]
        crew.share(points.shape[1], _attract, *self.rows, pairs, forces)
        return forces

    def divergence(self, points: np.ndarray, normalization: float, crew: Crew) -> float:
        """The KL divergence, in nats, of points (2, n) float32 between which the sum of all w is `normalization`."""
        strains = np.empty(points.shape[1], np.float32)
        crew.share(points.shape[1], _strain, *self.rows, points, strains)
        return float(self.constant + strains.sum(dtype=np.float64) + self.sum * math.log(normalization))


class Descent(gradient_descent):
    """openTSNE's gradient descent with momentum and gains (Jacobs 1988), by the gradient of this module.

    It stands for openTSNE's own, whose steps, arguments and callbacks it has; `negative_gradient_method` means nothing
    to it. What it was not made for, it leaves to openTSNE's own code: maps of other than two dimensions, other degrees
    of freedom than 1, points placed into a map that stays, a `max_grad_norm`.
    """

    def __init__(self) -> None:
        """Without updates and gains, as openTSNE's."""
        super().__init__()
        self.affinities, self.attraction = None, None

    def __call__(
        self,
        embedding: np.ndarray,
        P: csr_matrix,
        n_iter: int,
        objective_function: Callable,
        **settings: Any,
    ) -> tuple[float, np.ndarray]:
        """Move the embedding (n, 2) float64, in place, by `n_iter` steps; returns its KL divergence and itself.

        `P` (n, n) are the affinities. Raises openTSNE's OptimizationInterrupt if a callback ends it, and
        FloatingPointError if the points fly off to infinity.
        """
        own = settings.get("reference_embedding") is None and settings.get("max_grad_norm") is None
        if not (own and embedding.shape[1:] == (2,) and settings.get("dof", 1) == 1):
            return super().__call__(embedding, P, n_iter, objective_function, **settings)
        if self.affinities is not P:
            self.affinities, self.attraction = P, Attraction(P)
        with Crew(settings.get("n_jobs", 1)) as crew:
            return self._descend(embedding, self.attraction, n_iter, crew, **settings)

    def _descend(
        self,
        embedding: np.ndarray,
        attraction: Attraction,
        n_iter: int,
        crew: Crew,
        *,
        learning_rate: float,
        momentum: float = 0.8,
        exaggeration: float | None = None,
        min_gain: float = 0.01,
        max_step_norm: float | None = 5,
        callbacks: Iterable[Callable] | None = None,
        callbacks_every_iters: int = 50,
        **_: Any,
    ) -> tuple[float, np.ndarray]:
        """`__call__`, with the names of openTSNE's settings."""
        for callback in callbacks or ():
            getattr(callback, "optimization_about_to_start", lambda: None)()
        count, order = len(embedding), attraction.order

        def in_order(values: np.ndarray) -> np.ndarray:
            return np.ascontiguousarray(np.asarray(values)[order].T, np.float32)

        points = in_order(embedding - np.mean(embedding, axis=0))
        updates = np.zeros_like(points) if self.update is None else in_order(self.update)
        gains = np.ones_like(points) if self.gains is None else in_order(self.gains)
        self.update, self.gains = np.empty((count, 2), np.float32), np.empty((count, 2), np.float32)

        def keep() -> None:
            embedding[order], self.update[order], self.gains[order] = points.T, updates.T, gains.T

        for iteration in range(1, n_iter + 1):
            push, normalization = repulsion(points, crew)
            if callbacks and iteration % callbacks_every_iters == 0:
                keep()
                divergence = attraction.divergence(points, normalization, crew)
                if any(callback(iteration, divergence, embedding) for callback in callbacks):
                    raise OptimizationInterrupt(error=divergence, final_embedding=embedding)
            factors = (exaggeration or 1, 1 / normalization, learning_rate, momentum, min_gain, max_step_norm or np.inf)
            pull = attraction.forces(points, crew)
            crew.share(count, _step, points, updates, gains, pull, push, tuple(map(np.float32, factors)))
            points -= points.mean(axis=1, dtype=np.float64).astype(np.float32)[:, None]
        keep()
        return attraction.divergence(points, repulsion(points, crew)[1], crew), embedding
