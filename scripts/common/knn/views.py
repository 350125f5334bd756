"""Views of feature matrices, of which only what is indexed is held in memory."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from common.knn.chunks import chunks, rows_that_fit
from common.knn.pca import BLOCK_MB

GATHER_MB = 10  # of rows that are held twice, in their place and in that of the result


class StackedRows:
    """Matrices (n_i, d) of one type as one (n, d), with the rows of one after those of the other."""

    def __init__(self, matrices: Sequence[np.ndarray]) -> None:
        """Stack the matrices, which may be memory-mapped and without rows."""
        self.matrices = matrices
        self.bounds = np.cumsum([0, *map(len, matrices)])
        self.shape = (int(self.bounds[-1]), matrices[0].shape[1])

    def __len__(self) -> int:
        """Return the number of rows."""
        return self.shape[0]

    def __getitem__(self, key: Any) -> np.ndarray:
        """Return rows by a slice without a step or by numbers (m,), with all columns or (rows, columns)."""
        rows, columns = key if isinstance(key, tuple) else (key, slice(None))
        if isinstance(rows, slice):
            start, stop, _ = rows.indices(len(self))
            parts = [
                matrix[max(start - first, 0) : max(stop - first, 0), columns]
                for first, matrix in zip(self.bounds, self.matrices, strict=False)
            ]
            parts = [part for part in parts if len(part)] or parts[:1]
            return parts[0] if len(parts) == 1 else np.concatenate(parts)
        found = np.empty((len(rows), len(range(*columns.indices(self.shape[1])))), self.matrices[0].dtype)
        for block in chunks(len(rows), rows_that_fit(GATHER_MB, found.shape[1])):
            owners = np.searchsorted(self.bounds, rows[block], side="right") - 1
            for number in np.unique(owners):
                chosen = block.start + np.flatnonzero(owners == number)
                found[chosen] = self.matrices[number][rows[chosen] - self.bounds[number], columns]
        return found


class UnitRows:
    """A matrix (n, d) with each row divided by its norm, so that Euclidean distances rank as cosine distances do.

    A row of zeros, which has no direction, stays as it is.
    """

    def __init__(self, matrix: np.ndarray) -> None:
        """Measure the norms of the matrix, which may be memory-mapped."""
        self.matrix, self.shape, self.dtype = matrix, matrix.shape, np.float32
        self.norms = np.ones(len(matrix), np.float32)
        for rows in chunks(len(matrix), rows_that_fit(BLOCK_MB, self.shape[1])):
            norms = np.linalg.norm(matrix[rows], axis=1)
            self.norms[rows] = np.where(norms > 0, norms, 1)

    def __len__(self) -> int:
        """Return the number of rows."""
        return self.shape[0]

    def __getitem__(self, key: Any) -> np.ndarray:
        """Return rows by a slice or by numbers (m,), with all columns or (rows, columns)."""
        rows = key[0] if isinstance(key, tuple) else key
        return self.matrix[key] / self.norms[rows][:, None]
