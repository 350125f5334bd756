"""Baselines of an embedding, which know nothing of t-SNE: what any embedding should exceed."""

from collections.abc import Mapping

import numpy as np

from common.knn.pca import fit_pca, project

BASELINES = ("pca", "random")


def make_baselines(features: Mapping[str, np.ndarray], seed: int) -> dict[str, dict[str, np.ndarray]]:
    """Return coordinates (n, 2) by baseline and split, from features (n, d) by split.

    They are the first two principal components of the training images, and random points in a square.
    """
    count = min(2, features["train"].shape[1])
    fitted = fit_pca(features["train"], count, seed)
    random = np.random.default_rng(seed)
    found = {name: {} for name in BASELINES}
    for split, rows in features.items():
        found["pca"][split] = np.zeros((len(rows), 2), np.float32)
        found["pca"][split][:, :count] = project(rows, *fitted)
        found["random"][split] = random.random((len(rows), 2), np.float32)
    return found
