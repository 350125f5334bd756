"""Nearest neighbors that were found."""

import numpy as np


def without_self(indices: np.ndarray, distances: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Drop one of each row's (m, k + 1) neighbors: the row itself, `rows` (m,), or the last if it is not among them.

    A row with many exact copies can be missing among its own neighbors.
    """
    is_self = indices == rows[:, None]
    is_self[~is_self.any(axis=1), -1] = True
    shape = (len(indices), indices.shape[1] - 1)
    return indices[~is_self].reshape(shape), distances[~is_self].reshape(shape)
