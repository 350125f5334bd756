"""Find each test image's place in a map of the training images."""

import logging
from collections.abc import Mapping

import numpy as np
import openTSNE

from common.affinities import affinities
from common.arrays import load, load_neighbors
from common.files import whole
from common.jobs import job

log = logging.getLogger("workflow")

PERPLEXITY = 5  # openTSNE's own for new points; 15 neighbors are heeded
SEED = 0  # nothing is left to chance, but openTSNE warns where it has none


def place_images(
    coordinates: np.ndarray, neighbors: Mapping[str, np.ndarray], placed: Mapping[str, np.ndarray], threads: int
) -> np.ndarray:
    """Places (m, 2) float64 in a map (n, 2) of what was not in it when it was made.

    `neighbors` are those of the map's rows, `placed` those of the new rows among them, each with `indices` and
    `distances`. By openTSNE's transform: each begins at the median of its neighbors and is moved on its own, the map
    staying as it is (Policar, Strazar and Zupan 2023, https://doi.org/10.1007/s10994-021-06043-1).
    """
    if not len(placed["indices"]):
        return np.empty((0, 2))
    if not np.ptp(coordinates, axis=0).any():  # all in one point, where openTSNE's grid has no cells
        return np.repeat(coordinates[:1], len(placed["indices"]), axis=0)
    embedding = openTSNE.TSNEEmbedding(
        coordinates,
        affinities(neighbors, PERPLEXITY, placed),
        negative_gradient_method="fft",
        n_jobs=threads,
        random_state=SEED,
    )
    places = np.asarray(embedding.transform(np.empty((len(placed["indices"]), 0)), perplexity=PERPLEXITY))
    return places + (coordinates[0] - np.asarray(embedding)[0])  # transform has moved the map to its middle


if __name__ == "__main__":
    with job(snakemake.log[0], f"place_images {snakemake.wildcards.layer}"):
        coordinates = load(snakemake.input.map)
        neighbors = load_neighbors(snakemake.input.neighbors, snakemake.input.map)
        test_neighbors = load_neighbors(snakemake.input.test_neighbors, snakemake.input.test_labels)
        places = place_images(coordinates, neighbors, test_neighbors, snakemake.threads)
        with whole(snakemake.output.map) as part:
            np.save(part, places.astype(np.float32))
