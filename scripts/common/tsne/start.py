"""The start of the optimization: principal components at a small scale."""

from typing import Any

import numpy as np

from common.knn.pca import fit_pca, pca_sample_size, project

START_SPREAD = 1e-4  # standard deviation of the start along its first axis
JITTER = 1e-6  # standard deviation of its noise


def make_start(features: np.ndarray, seed: int) -> np.ndarray:
    """Return the start (n, 2) float64: the first two principal components of features (n, d), scaled to START_SPREAD.

    A little noise keeps equal rows apart, and is all there is if all rows are equal. Such a start preserves the global
    structure of the data (Kobak and Berens 2019, https://doi.org/10.1038/s41467-019-13056-x).
    """
    start = np.zeros((len(features), 2))
    count = min(2, features.shape[1])
    start[:, :count] = project(features, *fit_pca(features, count, seed))
    spread = start[:, 0].std()
    if spread > 0:
        start /= spread / START_SPREAD
    return start + np.random.default_rng(seed).normal(0, JITTER, start.shape)


def describe_start(shape: tuple[int, int]) -> dict[str, Any]:
    """Return how make_start starts with features of this shape (n, d), for the record."""
    count = min(2, shape[1])
    return {
        "principal_components": count,
        "of_rows": pca_sample_size(shape, count),
        "standard_deviation": START_SPREAD,
        "jitter": JITTER,
    }
