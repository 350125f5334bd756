"""Concatenate the nearest landmarks of all rows, and number the landmarks by their rows."""

from collections.abc import Mapping, Sequence

import numpy as np

from common.files import save_npz
from common.inputs import load_array, load_npz
from common.logs import run_logged


def gather_neighbors(parts: Sequence[Mapping[str, np.ndarray]], landmarks: np.ndarray) -> dict[str, np.ndarray]:
    """Return the neighbors of all rows from those of each chunk: `indices`, `distances` and `method`.

    In the parts, `indices` (m, k) int32 number the landmarks; in the result they are the rows `landmarks` (N,).
    """
    indices, distances = (np.concatenate([part[name] for part in parts]) for name in ("indices", "distances"))
    return {"indices": landmarks.astype(np.int32)[indices], "distances": distances, "method": parts[0]["method"]}


if __name__ == "__main__":
    with run_logged(snakemake.log[0], f"gather_neighbors {snakemake.wildcards.layer}"):
        landmarks, parts = load_array(snakemake.input.landmarks), [load_npz(path) for path in snakemake.input.parts]
        recall = min(part["recall"] for part in parts)
        splits = [parts, *([load_npz(path)] for path in snakemake.input.held_out)]
        for path, found in zip(snakemake.output.neighbors, splits, strict=True):
            save_npz(path, gather_neighbors(found, landmarks) | {"recall": recall})
