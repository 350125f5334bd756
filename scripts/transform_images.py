"""Place the test images in an embedding of the training images."""

import numpy as np

from common.files import save_array
from common.inputs import load_array, load_neighbors
from common.logs import run_logged
from common.tsne.transform import transform

if __name__ == "__main__":
    with run_logged(snakemake.log[0], f"transform_images {snakemake.wildcards.layer}"):
        embedding = load_array(snakemake.input.map)
        neighbors = load_neighbors(snakemake.input.neighbors, snakemake.input.map)
        test_neighbors = load_neighbors(snakemake.input.test_neighbors, snakemake.input.test_labels)
        coordinates = transform(embedding, neighbors, test_neighbors, snakemake.threads)
        save_array(snakemake.output.map, coordinates.astype(np.float32))
