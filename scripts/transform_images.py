"""Place the held-out images in the landmarks' embedding."""

import numpy as np

from common.files import save_array
from common.inputs import load_array, load_neighbors
from common.logs import run_logged
from common.tsne.transform import transform

if __name__ == "__main__":
    with run_logged(snakemake.log[0], f"transform_images {snakemake.wildcards.layer}"):
        paths = snakemake.input
        embedding, landmark_neighbors = load_array(paths.map), load_neighbors(paths.landmark_neighbors, paths.map)
        for found, labels, output in zip(paths.neighbors, paths.labels, snakemake.output.map, strict=True):
            neighbors = load_neighbors(found, labels)
            coordinates = transform(embedding, landmark_neighbors, neighbors, snakemake.threads)
            save_array(output, coordinates.astype(np.float32))
