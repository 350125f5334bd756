"""Find the nearest landmarks of each landmark, and of each held-out image."""

from collections.abc import Sequence

import numpy as np

from common.files import save_npz
from common.inputs import load_array
from common.knn.index import build_search, search_others
from common.logs import run_logged
from common.tsne.perplexity import check_n_rows, limit_neighbors


def find_landmark_neighbors(
    landmarks: np.ndarray, others: Sequence[np.ndarray], k: int, seed: int, memory_mb: float, threads: int
) -> list[dict[str, np.ndarray]]:
    """Return the k landmarks nearest to each of the `landmarks` (N, d) float32, itself left out, and to the `others`.

    The others are matrices (m, d) float32, each with a result of its own. A result has `indices` (rows, k) int32, which
    number the landmarks, `distances` (rows, k) float32, nearest first, and the search's `method` and `recall`. With
    fewer landmarks, k is lowered. Raises UserError if there are too few landmarks for the scores.
    """
    check_n_rows(len(landmarks), "landmarks")
    k = limit_neighbors(k, len(landmarks))
    search, facts = build_search(landmarks, k, seed, memory_mb, threads)
    found = [search_others(search, landmarks, np.arange(len(landmarks)), k), *(search(rows, k) for rows in others)]
    return [{"indices": indices, "distances": distances, **facts} for indices, distances in found]


if __name__ == "__main__":
    with run_logged(snakemake.log[0], f"find_landmark_neighbors {snakemake.wildcards.layer}"):
        params, paths = snakemake.params, snakemake.input
        landmarks, others = load_array(paths.features), [load_array(path) for path in paths.held_out_features]
        found = find_landmark_neighbors(
            landmarks, others, params.k, params.seed, snakemake.resources.block_mb, snakemake.threads
        )
        for path, neighbors in zip(snakemake.output, found, strict=True):
            save_npz(path, neighbors)
