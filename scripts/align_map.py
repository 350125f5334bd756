"""Rotate an embedding, so that the same images lie in the same part of the page as in another embedding."""

import numpy as np
from scipy.linalg import orthogonal_procrustes

from common.files import save_array
from common.inputs import load_array, load_rows
from common.logs import run_logged


def align_map(coordinates: np.ndarray, embedding: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return `coordinates` (m, 2) in an `embedding` (n, 2) after the motion that brings it nearest to `reference`.

    The reference (n, 2) has the same rows. The motion is a shift and a rotation or reflection, without scaling:
    orthogonal Procrustes (Schoenemann 1966, https://doi.org/10.1007/BF02289451). It moves the embedding's mean to 0.
    """
    mean = embedding.mean(axis=0)
    rotation, _ = orthogonal_procrustes(embedding - mean, reference - reference.mean(axis=0))
    return (coordinates - mean) @ rotation


if __name__ == "__main__":
    with run_logged(snakemake.log[0], f"align_map {snakemake.wildcards.layer}"):
        maps = snakemake.input.map
        embedding, reference, _ = load_rows(maps[0], snakemake.input.reference, snakemake.input.labels)
        for path, aligned in zip(maps, snakemake.output.map, strict=True):
            save_array(aligned, align_map(load_array(path), embedding, reference).astype(np.float32))
