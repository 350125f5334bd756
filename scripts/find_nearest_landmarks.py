"""Find the nearest landmarks of some of the rows."""

import numpy as np

from common.arrays import load
from common.files import whole
from common.jobs import job
from common.pieces import share
from common.searches import make_search, search_others


def find_nearest_landmarks(
    features: np.ndarray,
    rows: slice,
    landmark_features: np.ndarray,
    landmarks: np.ndarray,
    k: int,
    seed: int,
    memory: float,
    threads: int,
) -> dict[str, np.ndarray]:
    """The k landmarks nearest to each of the `rows` of `features` (n, d) float32, a landmark itself left out.

    The landmarks are the rows `landmarks` (N,), ascending, and their features (N, d). Returns `indices` (rows, k)
    int32, which number the landmarks, and `distances` (rows, k) float32, nearest first, and the search's `method` and
    `recall`, which are the same in all jobs. Raises UserError if there are not more than k landmarks.
    """
    search, facts = make_search(landmark_features, k, seed, memory, threads)
    numbers = np.arange(rows.start, rows.stop)
    own = np.where(np.isin(numbers, landmarks), np.searchsorted(landmarks, numbers), -1)
    indices, distances = search_others(search, features[rows], own, k)
    return {"indices": indices, "distances": distances} | facts


if __name__ == "__main__":
    with job(snakemake.log[0], f"find_nearest_landmarks {snakemake.wildcards.layer} {snakemake.wildcards.scatteritem}"):
        paths, params = snakemake.input, snakemake.params
        features, landmark_features, landmarks = map(load, (paths.features, paths.landmark_features, paths.landmarks))
        rows = share(len(features), snakemake.wildcards.scatteritem)
        block_mb, threads = snakemake.resources.block_mb, snakemake.threads
        found = find_nearest_landmarks(
            features, rows, landmark_features, landmarks, params.k, params.seed, block_mb, threads
        )
        with whole(snakemake.output.neighbors) as part:
            np.savez(part, **found)
