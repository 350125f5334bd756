"""Turn a map, so that the same images lie in the same part of the page as in another."""

import numpy as np
from scipy.linalg import orthogonal_procrustes

from common.arrays import load, load_rows
from common.files import save_array
from common.jobs import job


def align_map(places: np.ndarray, coordinates: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """`places` (m, 2) in a map `coordinates` (n, 2) after the motion that brings this nearest to `reference` (n, 2).

    Both maps have a row each for the same things. The motion is a shift and a rotation or reflection, so that nothing
    is stretched: orthogonal Procrustes (Schoenemann 1966, https://doi.org/10.1007/BF02289451). The middle of the turned
    map is the origin.
    """
    middle = coordinates.mean(axis=0)
    turn, _ = orthogonal_procrustes(coordinates - middle, reference - reference.mean(axis=0))
    return (places - middle) @ turn


if __name__ == "__main__":
    with job(snakemake.log[0], f"align_map {snakemake.wildcards.layer}"):
        coordinates, reference, _ = load_rows(*(snakemake.input[name] for name in ("map", "reference", "labels")))
        save_array(
            snakemake.output.places, align_map(load(snakemake.input.places), coordinates, reference).astype(np.float32)
        )
