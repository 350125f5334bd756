"""Overlap of the nearest neighbors in two spaces (Doimo et al. 2020, https://arxiv.org/abs/2007.03506)."""

import numpy as np

from common.knn.chunks import chunks


def neighbor_overlap(neighbors: np.ndarray, others: np.ndarray, block: int = 10_000) -> np.ndarray:
    """Return the share of each row's k `neighbors` (n, k) that are among its `others` (n, k), as (n,) float64.

    Both hold row numbers, without repetition in a row and in any order. `block` rows are compared at once.
    """
    shares = np.empty(len(neighbors))
    for rows in chunks(len(neighbors), block):
        pairs = neighbors[rows, :, None] == others[rows, None, :]
        shares[rows] = pairs.sum(axis=(1, 2)) / neighbors.shape[1]
    return shares
