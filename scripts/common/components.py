"""Principal components of a feature matrix that may be larger than memory."""

import numpy as np
from sklearn.decomposition import PCA

from common.pieces import fitting, pieces

ROWS = 10_000  # the components of so many rows, drawn at random, stand for those of all
SAMPLE_MB = 200  # which they must fit into; on every machine the same, so that the results are
BLOCK_MB = 100  # of the features whose place among the components is computed at once


def rows_used(shape: tuple[int, int], count: int) -> int:
    """Of how many rows of features of this shape (n, d) the first `count` principal components are found."""
    return min(shape[0], max(2 * count, min(ROWS, fitting(SAMPLE_MB, shape[1]))))


def principal_components(features: np.ndarray, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The mean (d,) and the first `count` principal components (count, d), float32, of features (n, d) float32.

    They are those of at most ROWS rows, by scikit-learn's PCA, or of as many as SAMPLE_MB hold, though at least twice
    `count`.
    """
    rows = np.random.default_rng(seed).permutation(len(features))[: rows_used(features.shape, count)]
    pca = PCA(count, copy=False, random_state=seed).fit(features[np.sort(rows)])
    return pca.mean_.astype(np.float32), np.ascontiguousarray(pca.components_, np.float32)


def project(features: np.ndarray, mean: np.ndarray, components: np.ndarray) -> np.ndarray:
    """Features (n, d) in the frame of the components (count, d), block by block: (n, count) float32."""
    projected = np.empty((len(features), len(components)), np.float32)
    for rows in pieces(len(features), fitting(BLOCK_MB, features.shape[1])):
        projected[rows] = (features[rows] - mean) @ components.T
    return projected
