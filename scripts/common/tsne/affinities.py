"""t-SNE's affinities, from neighbors that are already known."""

from collections.abc import Mapping

import numpy as np
from openTSNE.affinity import PerplexityBasedNN
from openTSNE.nearest_neighbors import KNNIndex

from common.tsne.perplexity import n_neighbors


class PrecomputedNeighbors(KNNIndex):
    """openTSNE's interface to a neighbor search, answered from neighbors that are already known."""

    def __init__(self, neighbors: Mapping[str, np.ndarray], k: int, new: Mapping[str, np.ndarray] | None) -> None:
        """Answer with the first `k` of `neighbors`, a mapping with `indices` and `distances` (n, at least k)."""
        self.neighbors, self.k, self.new = neighbors, k, new
        self.n_samples = len(neighbors["indices"])

    def build(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the neighbors of the rows."""
        return self.neighbors["indices"][:, : self.k], self.neighbors["distances"][:, : self.k]

    def query(self, _: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the neighbors of the new rows among the rows."""
        return self.new["indices"][:, :k], self.new["distances"][:, :k]


def compute_affinities(
    neighbors: Mapping[str, np.ndarray], perplexity: float, threads: int, new: Mapping[str, np.ndarray] | None = None
) -> PerplexityBasedNN:
    """Return openTSNE's affinities; `.P` (n, n) is sparse and symmetric with sum 1.

    `neighbors` has `indices` and `distances` (n, k), without the point itself, nearest first, k at least three times
    the perplexity. `new` has the same for rows that are to be placed among these.
    """
    index = PrecomputedNeighbors(neighbors, n_neighbors(perplexity), new)
    return PerplexityBasedNN(knn_index=index, perplexity=perplexity, n_jobs=threads)
