"""Places in a finished map for what was not in it when it was made."""

from collections.abc import Mapping

import numpy as np
import openTSNE

from common.affinities import affinities

PERPLEXITY = 5  # openTSNE's own for new points; 15 neighbors are heeded
SEED = 0  # nothing is left to chance, but openTSNE warns where it has none
# Measured on 20,000 of MNIST's images, by their pixels, in a map of 5,000 others: 90.9 % have the label of their ten
# nearest on the map, where 37.7 % of their ten nearest in the pixels are. By openTSNE's own settings (25, 1.5 and 0.1)
# it is 87.8 and 34.8 %, most of which the median of 25 loses. With a rate of 3 it is 90.7 and 34.2 %.
SETTINGS = {"k": 5, "exaggeration": 4, "learning_rate": 1}  # k: it starts at the median of so many nearest


def place(
    coordinates: np.ndarray, neighbors: Mapping[str, np.ndarray], placed: Mapping[str, np.ndarray], threads: int
) -> np.ndarray:
    """Places (m, 2) float64 in a map (n, 2) of what was not in it when it was made.

    `neighbors` are those of the map's rows, `placed` those of the new rows among them, each with `indices` and
    `distances`. By openTSNE's transform: each begins at the median of its neighbors and is moved on its own, whatever
    other rows are placed with it, the map staying as it is (Policar, Strazar and Zupan 2023,
    https://doi.org/10.1007/s10994-021-06043-1).
    """
    if not len(placed["indices"]):
        return np.empty((0, 2))
    if not np.ptp(coordinates, axis=0).any():  # all in one point, where openTSNE's grid has no cells
        return np.repeat(coordinates[:1], len(placed["indices"]), axis=0)
    embedding = openTSNE.TSNEEmbedding(
        coordinates,
        affinities(neighbors, PERPLEXITY, threads, placed),
        negative_gradient_method="fft",
        n_jobs=threads,
        random_state=SEED,
    )
    places = embedding.transform(np.empty((len(placed["indices"]), 0)), perplexity=PERPLEXITY, **SETTINGS)
    return np.asarray(places) + (coordinates[0] - np.asarray(embedding)[0])  # transform has moved the map to its middle
