"""Find the nearest landmarks of a chunk of the rows."""

import numpy as np

from common.files import save_npz
from common.inputs import load_array
from common.knn.chunks import scattered_chunk
from common.knn.index import build_search, search_others
from common.logs import run_logged
from common.tsne.perplexity import check_n_rows, limit_neighbors


def find_nearest_landmarks(
    features: np.ndarray,
    rows: slice,
    landmark_features: np.ndarray,
    landmarks: np.ndarray,
    k: int,
    seed: int,
    memory_mb: float,
    threads: int,
) -> dict[str, np.ndarray]:
    """Return the k landmarks nearest to each of the `rows` of `features` (n, d) float32, a landmark itself left out.

    The landmarks are the rows `landmarks` (N,), ascending; their features are (N, d). The result is `indices` (rows, k)
    int32, which number the landmarks, `distances` (rows, k) float32, nearest first, and the search's `method` and
    `recall`, which are the same in all jobs. With fewer landmarks, k is lowered. Raises UserError if there
    are too few landmarks for the scores.
    """
    check_n_rows(len(landmarks), "landmarks")
    k = limit_neighbors(k, len(landmarks))
    search, facts = build_search(landmark_features, k, seed, memory_mb, threads)
    numbers = np.arange(rows.start, rows.stop)
    own = np.where(np.isin(numbers, landmarks), np.searchsorted(landmarks, numbers), -1)
    indices, distances = search_others(search, features[rows], own, k)
    return {"indices": indices, "distances": distances} | facts


if __name__ == "__main__":
    wildcards = snakemake.wildcards
    with run_logged(snakemake.log[0], f"find_nearest_landmarks {wildcards.layer} {wildcards.scatteritem}"):
        paths, params = snakemake.input, snakemake.params
        features, landmarks = load_array(paths.features), load_array(paths.landmarks)
        neighbors = find_nearest_landmarks(
            features,
            scattered_chunk(len(features), wildcards.scatteritem),
            load_array(paths.landmark_features),
            landmarks,
            params.k,
            params.seed,
            snakemake.resources.block_mb,
            snakemake.threads,
        )
        save_npz(snakemake.output.neighbors, neighbors)
