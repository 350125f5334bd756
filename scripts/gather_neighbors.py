"""Put the nearest landmarks of all rows together, and call them by their rows."""

from collections.abc import Mapping, Sequence

import numpy as np

from common.arrays import load, load_npz
from common.files import whole
from common.jobs import job


def gather_neighbors(parts: Sequence[Mapping[str, np.ndarray]], landmarks: np.ndarray) -> dict[str, np.ndarray]:
    """The neighbors of all rows, of the neighbors of each part of them: `indices`, `distances` and `method`.

    In the parts `indices` (m, k) int32 number the landmarks; in what is returned they are rows, `landmarks` (N,).
    """
    indices, distances = (np.concatenate([part[name] for part in parts]) for name in ("indices", "distances"))
    return {
        "indices": landmarks.astype(np.int32)[indices],
        "distances": distances,
        "method": parts[0]["method"],
    }


if __name__ == "__main__":
    with job(snakemake.log[0], f"gather_neighbors {snakemake.wildcards.layer}"):
        landmarks, parts = load(snakemake.input.landmarks), [load_npz(path) for path in snakemake.input.parts]
        found = gather_neighbors(parts, landmarks) | {"recall": min(part["recall"] for part in parts)}
        test_found = gather_neighbors([load_npz(snakemake.input.test_neighbors)], landmarks)
        for path, neighbors in zip(snakemake.output, (found, test_found), strict=True):
            with whole(path) as part:
                np.savez(part, **neighbors)
