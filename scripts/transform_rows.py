"""Place a chunk of the rows in the landmarks' embedding."""

from collections.abc import Mapping

import numpy as np

from common.files import save_array
from common.inputs import load_neighbors, load_rows
from common.knn.chunks import scattered_chunk
from common.logs import run_logged
from common.tsne.transform import transform


def transform_rows(
    embedding: np.ndarray,
    landmark_neighbors: Mapping[str, np.ndarray],
    landmarks: np.ndarray,
    neighbors: Mapping[str, np.ndarray],
    rows: slice,
    threads: int,
) -> np.ndarray:
    """Return coordinates (rows, 2) float64 in the landmarks' embedding (N, 2): a landmark keeps its own.

    `landmarks` (N,) are row numbers, ascending. `landmark_neighbors` are the neighbors of each landmark, by number of
    landmark; `neighbors` are those of all rows, by row.
    """
    numbers = np.arange(rows.start, rows.stop)
    is_landmark = np.isin(numbers, landmarks)
    others = numbers[~is_landmark]
    new = {
        "indices": np.searchsorted(landmarks, neighbors["indices"][others]),
        "distances": neighbors["distances"][others],
    }
    coordinates = np.empty((len(numbers), 2))
    coordinates[is_landmark] = embedding[np.searchsorted(landmarks, numbers[is_landmark])]
    coordinates[~is_landmark] = transform(embedding, landmark_neighbors, new, threads)
    return coordinates


if __name__ == "__main__":
    wildcards = snakemake.wildcards
    with run_logged(snakemake.log[0], f"transform_rows {wildcards.layer} {wildcards.scatteritem}"):
        paths = snakemake.input
        embedding, landmarks = load_rows(paths.map, paths.landmarks)
        landmark_neighbors = load_neighbors(paths.landmark_neighbors, paths.landmarks)
        neighbors = load_neighbors(paths.neighbors, paths.labels)
        rows = scattered_chunk(len(neighbors["indices"]), wildcards.scatteritem)
        coordinates = transform_rows(embedding, landmark_neighbors, landmarks, neighbors, rows, snakemake.threads)
        save_array(snakemake.output.map, coordinates.astype(np.float32))
