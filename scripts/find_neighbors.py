"""Find the nearest neighbors of each row of a layer: among the training rows, and among all rows."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from common.files import save_npz
from common.inputs import load_array
from common.knn.chunks import chunks, rows_that_fit
from common.knn.index import build_search, search_exactly, search_others
from common.knn.views import StackedRows
from common.logs import run_logged
from common.tsne.perplexity import check_n_rows, limit_neighbors

Neighbors = dict[str, np.ndarray]


def find_neighbors(
    features: Sequence[np.ndarray], k_train: int, k_all: int, seed: int, memory_mb: float, threads: int
) -> tuple[list[Neighbors], Neighbors]:
    """Return the nearest neighbors of all rows in Euclidean distance, a row itself left out.

    `features` (n_i, d) float32 are those of the training images, and of other splits. The first result has, for each
    split, the k_train nearest training rows, or all if there are fewer. The second has the k_all nearest of all rows,
    or all others, numbered from split to split. Each is `indices` (rows, k) int32, `distances` (rows, k) float32,
    nearest first, `method` ("exact" or "projected") and `recall`. common.knn.index describes the search. Raises
    UserError if there are too few training rows for the scores.
    """
    rows, n_train = StackedRows(features), len(features[0])
    check_n_rows(n_train)
    k_train, k_all = limit_neighbors(k_train, n_train), limit_neighbors(k_all, len(rows))
    k = max(k_all, k_train)
    search, facts = build_search(rows, k, seed, memory_mb, threads)
    indices, distances = search_others(search, rows, np.arange(len(rows)), k)
    among_all = {"indices": indices[:, :k_all], "distances": distances[:, :k_all], **facts}
    among_train = keep_training_rows({"indices": indices, "distances": distances}, n_train, k_train)
    short = np.flatnonzero(among_train["indices"][:, -1] < 0)
    if len(short):  # too few of their neighbors are training rows
        search = partial(search_exactly, features[0], memory_mb=memory_mb, threads=threads)
        for block in chunks(len(short), rows_that_fit(memory_mb, rows.shape[1])):
            found = search_others(search, rows[short[block]], short[block], k_train)
            among_train["indices"][short[block]], among_train["distances"][short[block]] = found
    splits = [slice(*rows.bounds[number : number + 2]) for number in range(len(features))]
    return [{name: found[split] for name, found in among_train.items()} | facts for split in splits], among_all


def keep_training_rows(neighbors: Mapping[str, np.ndarray], n_train: int, k: int) -> Neighbors:
    """Return the k nearest neighbors of each row that are below n_train; where there are fewer, -1 in their place.

    `neighbors` has `indices` and `distances` (m, at least k), nearest first.
    """
    held_out = neighbors["indices"] >= n_train
    order = np.argsort(held_out, axis=1, kind="stable")[:, :k]
    kept = {name: np.take_along_axis(found, order, axis=1) for name, found in neighbors.items()}
    kept["indices"][np.take_along_axis(held_out, order, axis=1)] = -1
    return kept


if __name__ == "__main__":
    with run_logged(snakemake.log[0], f"find_neighbors {snakemake.wildcards.layer}"):
        params, paths = snakemake.params, snakemake.output
        features = [load_array(path) for path in snakemake.input.features]
        by_split, among_all = find_neighbors(
            features, params.k_train, params.k_all, params.seed, snakemake.resources.block_mb, snakemake.threads
        )
        for path, neighbors in zip((*paths.neighbors, paths.joint), (*by_split, among_all), strict=True):
            save_npz(path, neighbors)
