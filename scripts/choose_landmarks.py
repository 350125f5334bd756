"""Choose the rows that t-SNE lays out, in whose map the others are placed."""

import logging
import math

import numpy as np

from common.arrays import load
from common.components import principal_components, project
from common.files import whole
from common.jobs import job
from common.pieces import fitting, pieces
from common.searches import cell_of, find_cells

log = logging.getLogger("workflow")

COMPONENTS = 32  # principal components in which the cells are found
ROWS_A_CELL = 100  # for k-means


def choose_landmarks(features: np.ndarray, count: int, seed: int, memory: float, threads: int) -> np.ndarray:
    """`count` of the rows of `features` (n, d) float32, or all if there are not more: (count,) int64, ascending.

    Every cell of the features, found by k-means of their first principal components, gives its share, to within one
    row: every n / count-th row is taken along the cells. So the landmarks are as dense as all rows, everywhere, and no
    cell of more than n / count rows is missed. At most `memory` MB of the features are held at once.
    """
    n = len(features)
    if n <= count:
        return np.arange(n)
    frame = principal_components(features, min(COMPONENTS, *features.shape), seed, memory)
    projected = project(features, *frame, memory)
    cells = cell_of(find_cells(projected, 2 * math.isqrt(count), ROWS_A_CELL, seed), projected, threads)
    along = (np.arange(count) * n + np.random.default_rng(seed).integers(n)) // count
    return np.sort(np.argsort(cells, kind="stable")[along])


if __name__ == "__main__":
    with job(snakemake.log[0], f"choose_landmarks {snakemake.wildcards.layer}"):
        params = snakemake.params
        features = load(snakemake.input.features)
        rows = choose_landmarks(features, params.landmarks, params.seed, params.memory, snakemake.threads)
        log.info("%d of %d rows", len(rows), len(features))
        with whole(snakemake.output.rows) as part:
            np.save(part, rows)
        with whole(snakemake.output.features) as part:
            chosen = np.lib.format.open_memmap(part, "w+", np.float32, (len(rows), features.shape[1]))
            for piece in pieces(len(rows), fitting(params.memory, features.shape[1])):
                chosen[piece] = features[rows[piece]]
            chosen.flush()
