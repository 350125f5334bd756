"""Operations on the result of a neighbor search."""

import numpy as np


def drop_self(indices: np.ndarray, distances: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each row's (m, k + 1) neighbors without the row itself, as (m, k).

    `rows` (m,) are the row numbers. Where a row is missing among its own neighbors, as one with many exact copies can
    be, the last neighbor is dropped instead.
    """
    is_self = indices == rows[:, None]
    is_self[~is_self.any(axis=1), -1] = True
    shape = (len(indices), indices.shape[1] - 1)
    return indices[~is_self].reshape(shape), distances[~is_self].reshape(shape)


def recall(found: np.ndarray, exact: np.ndarray) -> float:
    """Return the share of the exact neighbors (m, k) that are among the `found` ones (m, k)."""
    return float(np.mean([len(np.intersect1d(f, e)) / len(e) for f, e in zip(found, exact, strict=True)]))
