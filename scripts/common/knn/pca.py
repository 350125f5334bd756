"""Principal components of a feature matrix that may be larger than memory."""

import numpy as np

from common.knn.chunks import chunks, rows_that_fit

MAX_SAMPLE = 10_000  # rows, drawn at random, that the components are fitted to
SAMPLE_MB = 200  # limit for these rows; the same on every machine, so that the result is
BLOCK_MB = 16  # of features that are held at once: they stay in the processor's cache


def pca_sample_size(shape: tuple[int, int], count: int, max_sample: int = MAX_SAMPLE) -> int:
    """Return the number of rows that `count` components of features of this shape (n, d) are fitted to."""
    return min(shape[0], max(2 * count, min(max_sample, rows_that_fit(SAMPLE_MB, shape[1]))))


def fit_pca(
    features: np.ndarray, count: int, seed: int, max_sample: int = MAX_SAMPLE, iterations: int | str = "auto"
) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean (d,) and the first `count` principal components (count, d), float32, of features (n, d) float32.

    scikit-learn's PCA is fitted to a random sample: at most `max_sample` rows or as many as SAMPLE_MB hold, but at
    least twice `count`. `iterations` is its iterated_power.
    """
    from sklearn.decomposition import PCA  # takes seconds, which few jobs need

    size = pca_sample_size(features.shape, count, max_sample)
    rows = np.random.default_rng(seed).permutation(len(features))[:size]
    pca = PCA(count, copy=False, iterated_power=iterations, random_state=seed).fit(features[np.sort(rows)])
    return pca.mean_.astype(np.float32), np.ascontiguousarray(pca.components_, np.float32)


def project(features: np.ndarray, mean: np.ndarray, components: np.ndarray) -> np.ndarray:
    """Return features (n, d) in the coordinates of the components (count, d), as (n, count) float32."""
    return project_and_measure(features, mean, components)[0]


def project_and_measure(
    features: np.ndarray, mean: np.ndarray, components: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return what `project` returns, and the squared distance of each row from the mean, (n,) float32."""
    projected, norms = np.empty((len(features), len(components)), np.float32), np.empty(len(features), np.float32)
    for rows in chunks(len(features), rows_that_fit(BLOCK_MB, features.shape[1])):
        centered = features[rows] - mean
        projected[rows] = centered @ components.T
        norms[rows] = np.einsum("ij,ij->i", centered, centered)
        del centered  # before the next block is held
    return projected, norms
