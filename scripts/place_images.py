"""Find each test image's place in a map of the training images."""

import numpy as np

from common.arrays import load, load_neighbors
from common.files import save_array
from common.jobs import job
from common.placing import place

if __name__ == "__main__":
    with job(snakemake.log[0], f"place_images {snakemake.wildcards.layer}"):
        coordinates = load(snakemake.input.map)
        neighbors = load_neighbors(snakemake.input.neighbors, snakemake.input.map)
        test_neighbors = load_neighbors(snakemake.input.test_neighbors, snakemake.input.test_labels)
        places = place(coordinates, neighbors, test_neighbors, snakemake.threads)
        save_array(snakemake.output.map, places.astype(np.float32))
