"""Find each row's nearest neighbors among the features of one layer."""

import numpy as np

from common.arrays import load
from common.files import whole
from common.jobs import job
from common.searches import make_search, search_others


def find_neighbors(
    features: np.ndarray, test_features: np.ndarray, k: int, seed: int, memory: float, threads: int
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The k nearest neighbors of each row among `features` (n, d) float32, by Euclidean distance.

    Returns those of each row of `features`, the row itself left out, and those of each row of `test_features` (m, d):
    indices (rows, k) int32 and distances (rows, k) float32, nearest first, and `method` ("exact" or "projected"); the
    first has `recall`, too. make_search says how they are searched. Raises UserError if there are not more than k rows.
    """
    search, facts = make_search(features, k, seed, memory, threads)
    results = search_others(search, features, np.arange(len(features)), k), search(test_features, k)
    neighbors, test_neighbors = (
        {"indices": indices, "distances": distances, "method": facts["method"]} for indices, distances in results
    )
    return neighbors | {"recall": facts["recall"]}, test_neighbors


if __name__ == "__main__":
    with job(snakemake.log[0], f"find_neighbors {snakemake.wildcards.layer}"):
        params = snakemake.params
        features, test_features = load(snakemake.input.features), load(snakemake.input.test_features)
        found = find_neighbors(
            features, test_features, params.k, params.seed, snakemake.resources.block_mb, snakemake.threads
        )
        for path, neighbors in zip(snakemake.output, found, strict=True):
            with whole(path) as part:
                np.savez(part, **neighbors)
