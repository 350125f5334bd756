"""The features of the layer "pixel": the images themselves, a row each."""

import numpy as np

from common.arrays import load
from common.files import whole
from common.jobs import job

if __name__ == "__main__":
    with job(snakemake.log[0], "flatten_images"), whole(snakemake.output.features) as part:
        images = load(snakemake.input.images)
        np.save(part, images.reshape(len(images), -1))
