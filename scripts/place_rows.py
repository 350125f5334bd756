"""Find the places of some of the rows in the landmarks' map."""

from collections.abc import Mapping

import numpy as np

from common.arrays import load_neighbors, load_rows
from common.files import save_array
from common.jobs import job
from common.pieces import share
from common.placing import place


def place_rows(
    coordinates: np.ndarray,
    landmark_neighbors: Mapping[str, np.ndarray],
    landmarks: np.ndarray,
    neighbors: Mapping[str, np.ndarray],
    rows: slice,
    threads: int,
) -> np.ndarray:
    """Places (rows, 2) float64 of the `rows` in the landmarks' map (N, 2): a landmark's own, another's by `place`.

    `landmarks` (N,) are rows, ascending; `landmark_neighbors` are the neighbors of each among them, which number the
    landmarks, and `neighbors` those of all rows, which are rows.
    """
    numbers = np.arange(rows.start, rows.stop)
    is_landmark = np.isin(numbers, landmarks)
    others = numbers[~is_landmark]
    placed = {
        "indices": np.searchsorted(landmarks, neighbors["indices"][others]),
        "distances": neighbors["distances"][others],
    }
    places = np.empty((len(numbers), 2))
    places[is_landmark] = coordinates[np.searchsorted(landmarks, numbers[is_landmark])]
    places[~is_landmark] = place(coordinates, landmark_neighbors, placed, threads)
    return places


if __name__ == "__main__":
    with job(snakemake.log[0], f"place_rows {snakemake.wildcards.layer} {snakemake.wildcards.scatteritem}"):
        paths = snakemake.input
        coordinates, landmarks = load_rows(paths.map, paths.landmarks)
        landmark_neighbors = load_neighbors(paths.landmark_neighbors, paths.landmarks)
        neighbors = load_neighbors(paths.neighbors, paths.labels)
        rows = share(len(neighbors["indices"]), snakemake.wildcards.scatteritem)
        places = place_rows(coordinates, landmark_neighbors, landmarks, neighbors, rows, snakemake.threads)
        save_array(snakemake.output.map, places.astype(np.float32))
