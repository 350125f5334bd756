"""t-SNE's affinities, from nearest neighbors found before."""

from collections.abc import Mapping

import numpy as np
from openTSNE.affinity import PerplexityBasedNN
from openTSNE.nearest_neighbors import KNNIndex


class FoundNeighbors(KNNIndex):
    """openTSNE's neighbor search, answered by neighbors that were found before: of the rows, and of other rows."""

    def __init__(self, neighbors: Mapping[str, np.ndarray], k: int, other: Mapping[str, np.ndarray] | None) -> None:
        """Answer with the first `k` of `neighbors`, a mapping with `indices` and `distances` (n, at least k)."""
        self.neighbors, self.k, self.other = neighbors, k, other
        self.n_samples = len(neighbors["indices"])

    def build(self) -> tuple[np.ndarray, np.ndarray]:
        """The rows' neighbors."""
        return self.neighbors["indices"][:, : self.k], self.neighbors["distances"][:, : self.k]

    def query(self, _: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """The other rows' neighbors among the rows."""
        return self.other["indices"][:, :k], self.other["distances"][:, :k]


def neighbors_heeded(perplexity: float) -> int:
    """How many neighbors of each point have an affinity: three times the perplexity, as openTSNE has it."""
    return int(3 * perplexity)


def affinities(
    neighbors: Mapping[str, np.ndarray], perplexity: float, threads: int, other: Mapping[str, np.ndarray] | None = None
) -> PerplexityBasedNN:
    """t-SNE's symmetric affinities, `.P` (n, n) sparse with sum 1.

    `neighbors` has `indices` and `distances` (n, k), without the point itself, nearest first, k at least three times
    the perplexity; `other` the same of rows that are to be placed among these.
    """
    found = FoundNeighbors(neighbors, neighbors_heeded(perplexity), other)
    return PerplexityBasedNN(knn_index=found, perplexity=perplexity, n_jobs=threads)
