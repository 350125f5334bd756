"""Linear probe: a ridge classifier on the features of a layer (Alain and Bengio 2016, https://arxiv.org/abs/1610.01644).

It is that of scikit-learn's RidgeClassifier: least squares to 1 for an image's class and -1 for the others, of features
and targets less their means, with a penalty on the weights. All strengths of the penalty share one matrix, the products
of the dimensions or, if there are fewer rows than dimensions, of the rows.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from common.knn.chunks import chunks, rows_that_fit
from common.knn.pca import project

log = logging.getLogger("workflow")

BLOCK_MB = 100  # of features that are multiplied at once
MAX_SIDE = 6000  # of the matrix of products; if there are more rows and dimensions, so many rows are used
HELD_OUT = 10  # each such row is held out to choose the strength
STRENGTHS = tuple(10.0**power for power in range(-6, 2))  # multiples of the mean eigenvalue of the products


@dataclass(frozen=True)
class LinearProbe:
    """A linear classifier of features x, by the largest of (x - origin) @ weights.T + intercepts."""

    origin: np.ndarray  # (d,) float32
    weights: np.ndarray  # (classes, d) float32
    intercepts: np.ndarray  # (classes,) float32
    strength: float  # of the penalty, RidgeClassifier's alpha
    n_rows: int  # that the probe was fitted to

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Return the class numbers (n,) of features (n, d)."""
        return (project(features, self.origin, self.weights) + self.intercepts).argmax(axis=1)


@dataclass(frozen=True)
class Ridge:
    """The least-squares problem of some rows, for any strength of the penalty."""

    matrix: np.ndarray  # (p, p) float64: products of centered dimensions, or of centered rows
    right: np.ndarray  # (p, classes): products of centered dimensions and targets, or the centered targets
    expand: Callable[[np.ndarray], np.ndarray]  # the solution (p, classes) as weights (d, classes)
    origin: np.ndarray  # (d,) float32
    mean: np.ndarray  # (d,) of the features less the origin
    level: np.ndarray  # (classes,), mean of the targets
    n_rows: int

    def fit(self, strength: float) -> LinearProbe:
        """Return the solution; raises LinAlgError if the penalty is so weak that rounding decides."""
        matrix = self.matrix.copy()
        matrix.flat[:: len(matrix) + 1] += strength
        factor = cho_factor(matrix, overwrite_a=True, check_finite=False)
        weights = self.expand(cho_solve(factor, self.right, check_finite=False)).T
        intercepts = self.level - weights @ self.mean
        return LinearProbe(
            self.origin, weights.astype(np.float32), intercepts.astype(np.float32), strength, self.n_rows
        )


def dimension_ridges(
    features: np.ndarray, origin: np.ndarray, targets: np.ndarray, groups: Sequence[np.ndarray]
) -> list[Ridge]:
    """Return the problems of the first group of rows and of all groups (m,), from the products of dimensions (d, d)."""
    d, n_classes = features.shape[1], targets.shape[1]
    products, cross = np.zeros((d, d)), np.zeros((d, n_classes))
    total, target_total, count, ridges = np.zeros(d), np.zeros(n_classes), 0, []
    for group in groups:
        for block in chunks(len(group), rows_that_fit(BLOCK_MB, d)):
            rows = group[block]
            centered = features[rows]
            centered -= origin
            products += centered.T @ centered
            cross += centered.T @ targets[rows]
            total += centered.sum(axis=0, dtype=float)
            target_total += targets[rows].sum(axis=0, dtype=float)
        count += len(group)
        mean, level = total / count, target_total / count
        matrix, right = products - np.outer(total, mean), cross - np.outer(total, level)
        ridges.append(Ridge(matrix, right, np.asarray, origin, mean, level, count))
    return ridges


def row_ridges(
    features: np.ndarray, origin: np.ndarray, targets: np.ndarray, groups: Sequence[np.ndarray]
) -> list[Ridge]:
    """Return the same problems from the products of rows (m, m), for fewer rows than dimensions."""
    every = np.concatenate(groups)
    products = np.zeros((len(every), len(every)))
    for columns in chunks(features.shape[1], rows_that_fit(BLOCK_MB, len(every))):
        centered = features[every, columns] - origin[columns]
        products += centered @ centered.T
    ridges = []
    for rows in (groups[0], every):
        matrix = products[: len(rows), : len(rows)]
        matrix = matrix - matrix.mean(axis=0)
        matrix -= matrix.mean(axis=1)[:, None]
        mean = combine_rows(features, origin, rows, np.full((len(rows), 1), 1 / len(rows)))[:, 0]
        level = targets[rows].mean(axis=0, dtype=float)

        def expand(solution: np.ndarray, rows: np.ndarray = rows) -> np.ndarray:
            return combine_rows(features, origin, rows, solution)

        ridges.append(Ridge(matrix, targets[rows] - level, expand, origin, mean, level, len(rows)))
    return ridges


def combine_rows(features: np.ndarray, origin: np.ndarray, rows: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Return the sums (d, c) of some rows (m,) of the features less the origin, by factors (m, c)."""
    total = np.zeros((features.shape[1], factors.shape[1]))
    for block in chunks(len(rows), rows_that_fit(BLOCK_MB, features.shape[1])):
        total += (features[rows[block]] - origin).T @ factors[block].astype(np.float32)
    return total


def choose_strength(ridge: Ridge, scale: float, features: np.ndarray, numbers: np.ndarray) -> float:
    """Return the strength with the best accuracy on held-out features (m, d) of classes (m,).

    Strengths are multiples of `scale`. They ascend until the accuracy is a standard error below the best one. Of
    equally good ones, the strongest is chosen.
    """
    best, chosen = 0.0, STRENGTHS[-1] * scale
    for strength in (multiple * scale for multiple in STRENGTHS):
        try:
            probe = ridge.fit(strength)
        except LinAlgError:
            continue
        accuracy = float((probe.predict(features) == numbers).mean())
        log.info("linear probe with strength %.3g: accuracy %.4f", strength, accuracy)
        if accuracy >= best:
            best, chosen = accuracy, strength
        elif accuracy < best - np.sqrt(best * (1 - best) / len(numbers)):
            break
    return chosen


def fit_linear_probe(
    features: np.ndarray, numbers: np.ndarray, n_classes: int, origin: np.ndarray
) -> tuple[LinearProbe | None, str | None]:
    """Return the linear probe of training features (n, d) float32 for class numbers (n,) below n_classes.

    The strength of the penalty is chosen by the accuracy on every tenth row of a probe of the others, and the result is
    fitted to all rows. If there are more than MAX_SIDE rows and dimensions, so many evenly spaced rows are used.
    `origin` (d,) float32 is near the mean, which keeps the precision of float32. The second value is the reason if the
    probe is not defined, and the first is then None.
    """
    n, d = features.shape
    rows = np.arange(n) if min(n, d) <= MAX_SIDE else np.linspace(0, n - 1, MAX_SIDE).astype(int)
    if len(rows) < HELD_OUT:
        return None, f"There are fewer than {HELD_OUT} training images."
    targets = np.full((n, n_classes), -1, np.float32)
    targets[np.arange(n), numbers] = 1
    is_held_out = np.arange(len(rows)) % HELD_OUT == HELD_OUT - 1
    groups = rows[~is_held_out], rows[is_held_out]
    fit_to_most, fit_to_all = (dimension_ridges if d <= len(rows) else row_ridges)(features, origin, targets, groups)
    scale = float(np.trace(fit_to_all.matrix)) / min(len(rows), d)
    strength = choose_strength(fit_to_most, scale, features[groups[1]], numbers[groups[1]])
    return fit_to_all.fit(strength), None
