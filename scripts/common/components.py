"""Principal components of a feature matrix that may be larger than memory."""

import numpy as np
from sklearn.decomposition import PCA

ROWS = 10_000  # the components of so many rows, drawn at random, stand for those of all
BLOCK = 10_000


def principal_components(features: np.ndarray, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The mean (d,) and the first `count` principal components (count, d), float32, of features (n, d) float32.

    They are those of at most ROWS rows, by scikit-learn's PCA.
    """
    rows = np.random.default_rng(seed).permutation(len(features))[:ROWS]
    pca = PCA(count, random_state=seed).fit(features[np.sort(rows)])
    return pca.mean_.astype(np.float32), np.ascontiguousarray(pca.components_, np.float32)


def project(features: np.ndarray, mean: np.ndarray, components: np.ndarray) -> np.ndarray:
    """Features (n, d) in the frame of the components (count, d): (n, count) float32, computed block by block."""
    blocks = (features[start : start + BLOCK] for start in range(0, len(features), BLOCK))
    return np.concatenate([(block - mean) @ components.T for block in blocks])
