"""The objective of t-SNE, computed exactly."""

import numpy as np
from scipy.sparse import csr_matrix

from common.knn.chunks import chunks
from common.tsne.descent import exact_normalization

BLOCK = 10_000  # rows whose pairs are summed at once


def kl_divergence(coordinates: np.ndarray, affinities: csr_matrix, threads: int = 1) -> float:
    """Return the KL divergence, in nats, of an embedding (n, 2) from its affinities (n, n), sparse with sum 1.

    The normalization is summed over all pairs, whatever the backend approximated (van der Maaten and Hinton 2008,
    section 3).
    """
    log_normalization, divergence = np.log(exact_normalization(coordinates, threads)), 0.0
    for rows in chunks(len(coordinates), BLOCK):
        pairs = affinities[rows].tocoo()
        pairs.eliminate_zeros()  # 0 log 0 = 0
        offsets = coordinates[rows][pairs.row].astype(np.float64) - coordinates[pairs.col]
        log_q = -np.log1p((offsets**2).sum(axis=1)) - log_normalization
        divergence += (pairs.data * (np.log(pairs.data) - log_q)).sum()
    return float(divergence)
