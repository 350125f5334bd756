"""Write the features of the layer "pixel": the images themselves, one a row."""

import math

from common.files import save_array
from common.inputs import load_array
from common.logs import run_logged

if __name__ == "__main__":
    with run_logged(snakemake.log[0], "flatten_images"):
        for path, features in zip(snakemake.input.images, snakemake.output.features, strict=True):
            images = load_array(path)
            save_array(features, images.reshape(len(images), math.prod(images.shape[1:])))
