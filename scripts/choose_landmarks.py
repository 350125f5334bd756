"""Choose the rows that t-SNE lays out, in whose map the others are placed."""

import logging
import math

import numpy as np

from common.arrays import load
from common.components import principal_components, project
from common.files import save_array, whole, write_blocks
from common.jobs import job
from common.pieces import pieces
from common.searches import cell_of, find_cells

log = logging.getLogger("workflow")

COMPONENTS = 32  # principal components in which the cells are found
ROWS_A_CELL = 100  # for k-means
BLOCK = 1000  # rows written at once


def choose_landmarks(features: np.ndarray, count: int, seed: int, threads: int) -> np.ndarray:
    """`count` of the rows of `features` (n, d) float32, or all if there are not more: (count,) int64, ascending.

    Every cell of the features, found by k-means of their first principal components, gives its share, to within one
    row: every n / count-th row is taken along the cells. So the landmarks are as dense as all rows, everywhere, and no
    cell of more than n / count rows is missed.
    """
    n = len(features)
    if n <= count:
        return np.arange(n)
    frame = principal_components(features, min(COMPONENTS, *features.shape), seed)
    projected = project(features, *frame)
    cells = cell_of(find_cells(projected, 2 * math.isqrt(count), ROWS_A_CELL, seed), projected, threads)
    along = (np.arange(count) * n + np.random.default_rng(seed).integers(n)) // count
    return np.sort(np.argsort(cells, kind="stable")[along])


if __name__ == "__main__":
    with job(snakemake.log[0], f"choose_landmarks {snakemake.wildcards.layer}"):
        params = snakemake.params
        features = load(snakemake.input.features)
        rows = choose_landmarks(features, params.landmarks, params.seed, snakemake.threads)
        log.info("%d of %d rows", len(rows), len(features))
        save_array(snakemake.output.rows, rows)
        with whole(snakemake.output.features) as part:
            shape = (len(rows), features.shape[1])
            write_blocks(part, shape, (features[rows[block]] for block in pieces(len(rows), BLOCK)))
