"""The start of the optimization: coordinates at a small scale."""

from typing import Any

import numpy as np

from common.knn.pca import fit_pca, pca_sample_size, project

START_SPREAD = 1e-4  # standard deviation of the start along its first axis
JITTER = 1e-6  # standard deviation of its noise


def make_start(features: np.ndarray, seed: int) -> np.ndarray:
    """Return the start (n, 2) float64 from the first two principal components of features (n, d).

    Such a start preserves the global structure of the data (Kobak and Berens 2019,
    https://doi.org/10.1038/s41467-019-13056-x).
    """
    points = np.zeros((len(features), 2))
    count = min(2, features.shape[1])
    points[:, :count] = project(features, *fit_pca(features, count, seed))
    return scale_start(points, seed)


def scale_start(points: np.ndarray, seed: int) -> np.ndarray:
    """Return points (n, 2) with mean 0 and START_SPREAD along the first axis, and noise.

    The noise keeps equal rows apart, and is all there is if all rows are equal.
    """
    points = points - points.mean(axis=0, dtype=np.float64)
    spread = points[:, 0].std()
    if spread > 0:
        points /= spread / START_SPREAD
    return points + np.random.default_rng(seed).normal(0, JITTER, points.shape)


def describe_start(shape: tuple[int, int]) -> dict[str, Any]:
    """Return how make_start starts with features of this shape (n, d), for the record."""
    count = min(2, shape[1])
    return {"from": "principal components", "components": count, "of_rows": pca_sample_size(shape, count)}
