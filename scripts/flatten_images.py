"""The features of the layer "pixel": the images themselves, a row each."""

import math

from common.arrays import load
from common.files import save_array
from common.jobs import job

if __name__ == "__main__":
    with job(snakemake.log[0], "flatten_images"):
        for prefix in ("", "test_"):
            images = load(snakemake.input[f"{prefix}images"])
            save_array(snakemake.output[f"{prefix}features"], images.reshape(len(images), math.prod(images.shape[1:])))
