"""The optimizer: gradient descent with momentum and gains."""

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from openTSNE.tsne import OptimizationInterrupt, gradient_descent
from scipy.sparse import csr_matrix

from common.numba_setup import compiled
from common.tsne.descent.attraction import Attraction
from common.tsne.descent.pool import BlockPool
from common.tsne.descent.repulsion import repulsion


@compiled
def _step(points, updates, gains, attraction, repulsion, factors, first, last):  # noqa: ANN001, ANN202
    """Move the points (2, n) by one step with momentum, each coordinate with its own gain, up to the longest step."""
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


class Descent(gradient_descent):
    """openTSNE's gradient descent with momentum and gains (Jacobs 1988), with the gradient of this package.

    It replaces openTSNE's own optimizer and has its steps, arguments and callbacks; `negative_gradient_method` has no
    effect. It calls openTSNE's own code for what it does not support: other than two dimensions, other degrees of
    freedom than 1, a fixed reference embedding, and `max_grad_norm`.
    """

    def __init__(self) -> None:
        """Start without updates and gains."""
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
        """Move the embedding (n, 2) float64, in place, by `n_iter` steps; return its KL divergence and itself.

        `P` (n, n) are the affinities. Raises openTSNE's OptimizationInterrupt if a callback returns true, and
        FloatingPointError if the coordinates diverge.
        """
        supported = settings.get("reference_embedding") is None and settings.get("max_grad_norm") is None
        if not (supported and embedding.shape[1:] == (2,) and settings.get("dof", 1) == 1):
            return super().__call__(embedding, P, n_iter, objective_function, **settings)
        if self.affinities is not P:
            self.affinities, self.attraction = P, Attraction(P)
        with BlockPool(settings.get("n_jobs", 1)) as pool:
            return self._descend(embedding, self.attraction, n_iter, pool, **settings)

    def _descend(
        self,
        embedding: np.ndarray,
        attraction: Attraction,
        n_iter: int,
        pool: BlockPool,
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
        """Do what `__call__` says, with openTSNE's arguments by name."""
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
            push, normalization = repulsion(points, pool)
            if callbacks and iteration % callbacks_every_iters == 0:
                keep()
                divergence = attraction.divergence(points, normalization, pool)
                if any(callback(iteration, divergence, embedding) for callback in callbacks):
                    raise OptimizationInterrupt(error=divergence, final_embedding=embedding)
            factors = (exaggeration or 1, 1 / normalization, learning_rate, momentum, min_gain, max_step_norm or np.inf)
            pull = attraction.forces(points, pool)
            pool.run(count, _step, points, updates, gains, pull, push, tuple(map(np.float32, factors)))
            points -= points.mean(axis=1, dtype=np.float64).astype(np.float32)[:, None]
        keep()
        return attraction.divergence(points, repulsion(points, pool)[1], pool), embedding
