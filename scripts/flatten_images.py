"""The features of the layer "pixel": the images themselves, a row each."""

import math

import numpy as np

from common.arrays import load
from common.files import whole
from common.jobs import job

if __name__ == "__main__":
    with job(snakemake.log[0], "flatten_images"):
        for prefix in ("", "test_"):
            images = load(snakemake.input[f"{prefix}images"])
            with whole(snakemake.output[f"{prefix}features"]) as part:
                np.save(part, images.reshape(len(images), math.prod(images.shape[1:])))
