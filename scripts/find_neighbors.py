"""Find the nearest neighbors of each row among the features of one layer."""

import numpy as np

from common.files import save_npz
from common.inputs import load_array
from common.knn.index import build_search, search_others
from common.logs import run_logged
from common.tsne.perplexity import check_n_rows


def find_neighbors(
    features: np.ndarray, test_features: np.ndarray, k: int, seed: int, memory_mb: float, threads: int
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return the k nearest neighbors among `features` (n, d) float32, in Euclidean distance.

    The first result is for each row of `features`, the row itself left out, the second for each row of `test_features`
    (m, d): indices (rows, k) int32 and distances (rows, k) float32, nearest first, and `method` ("exact" or
    "projected"); the first has `recall`, too. common.knn.index describes the search. Raises UserError if there are not
    more than k rows.
    """
    check_n_rows(len(features), k)
    search, facts = build_search(features, k, seed, memory_mb, threads)
    results = search_others(search, features, np.arange(len(features)), k), search(test_features, k)
    neighbors, test_neighbors = (
        {"indices": indices, "distances": distances, "method": facts["method"]} for indices, distances in results
    )
    return neighbors | {"recall": facts["recall"]}, test_neighbors


if __name__ == "__main__":
    with run_logged(snakemake.log[0], f"find_neighbors {snakemake.wildcards.layer}"):
        params = snakemake.params
        features, test_features = load_array(snakemake.input.features), load_array(snakemake.input.test_features)
        found = find_neighbors(
            features, test_features, params.k, params.seed, snakemake.resources.block_mb, snakemake.threads
        )
        for path, neighbors in zip(snakemake.output, found, strict=True):
            save_npz(path, neighbors)
