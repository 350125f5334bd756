"""Choose landmarks: the rows that t-SNE embeds, before the others are placed in their embedding."""

import logging
import math

import numpy as np

from common.files import atomic_write, save_array, write_blocks
from common.inputs import load_array
from common.knn.chunks import chunks
from common.knn.index import assign_cells, find_cells
from common.knn.pca import fit_pca, project
from common.logs import run_logged

log = logging.getLogger("workflow")

COMPONENTS = 32  # principal components in which the cells are found
ROWS_PER_CELL = 100  # sample for k-means
BLOCK = 1000  # rows written at once


def choose_landmarks(features: np.ndarray, count: int, seed: int, threads: int) -> np.ndarray:
    """Return `count` rows of `features` (n, d) float32, or all if there are no more: (count,) int64, ascending.

    Every k-means cell of the features' first principal components contributes in proportion to its size, to within one
    row: every n / count-th row is taken in the order of the cells. So the landmarks have the density of all rows, and
    no cell of more than n / count rows is missed.
    """
    n = len(features)
    if n <= count:
        return np.arange(n)
    projected = project(features, *fit_pca(features, min(COMPONENTS, *features.shape), seed))
    cells = assign_cells(find_cells(projected, 2 * math.isqrt(count), ROWS_PER_CELL, seed), projected, threads)
    positions = (np.arange(count) * n + np.random.default_rng(seed).integers(n)) // count
    return np.sort(np.argsort(cells, kind="stable")[positions])


if __name__ == "__main__":
    with run_logged(snakemake.log[0], f"choose_landmarks {snakemake.wildcards.layer}"):
        params = snakemake.params
        features = load_array(snakemake.input.features)
        rows = choose_landmarks(features, params.landmarks, params.seed, snakemake.threads)
        log.info("%d of %d rows", len(rows), len(features))
        save_array(snakemake.output.rows, rows)
        with atomic_write(snakemake.output.features) as part:
            shape = (len(rows), features.shape[1])
            write_blocks(part, shape, (features[rows[block]] for block in chunks(len(rows), BLOCK)))
