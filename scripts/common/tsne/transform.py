"""The placement of new points in a finished embedding."""

from collections.abc import Mapping

import numpy as np
import openTSNE

from common.tsne.affinities import compute_affinities
from common.tsne.placement import PERPLEXITY, TRANSFORM

SEED = 0  # nothing is random, but openTSNE warns without a seed


def transform(
    coordinates: np.ndarray, neighbors: Mapping[str, np.ndarray], new: Mapping[str, np.ndarray], threads: int
) -> np.ndarray:
    """Return coordinates (m, 2) float64 of new points in an embedding (n, 2), which stays fixed.

    `neighbors` are those of the embedded rows, `new` those of the new rows among them, each with `indices` and
    `distances`. openTSNE's transform starts each point at the median of its neighbors and moves it independently of
    other new points (Policar, Strazar and Zupan 2023, https://doi.org/10.1007/s10994-021-06043-1).
    """
    if not len(new["indices"]):
        return np.empty((0, 2))
    if not np.ptp(coordinates, axis=0).any():  # all rows on one point, where openTSNE's grid has no cells
        return np.repeat(coordinates[:1], len(new["indices"]), axis=0)
    embedding = openTSNE.TSNEEmbedding(
        coordinates,
        compute_affinities(neighbors, PERPLEXITY, threads, new),
        negative_gradient_method="fft",
        n_jobs=threads,
        random_state=SEED,
    )
    placed = embedding.transform(np.empty((len(new["indices"]), 0)), perplexity=PERPLEXITY, **TRANSFORM)
    return np.asarray(placed) + (coordinates[0] - np.asarray(embedding)[0])  # transform centers the embedding
