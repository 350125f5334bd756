"""Write what one layer of the network makes of each training image, and of each test image."""

import logging
from pathlib import Path

import numpy as np

from common.arrays import load
from common.backend import keras, load_network, use_devices
from common.files import whole
from common.jobs import job

log = logging.getLogger("workflow")

BATCH_SIZE = 1000


def extract_features(network: keras.Model, layer: str, images: np.ndarray, path: Path) -> None:
    """Write the output of `layer` for `images` (n, height, width, channels) as a float32 (n, d) .npy file at `path`.

    Rows are in the images' order, each the layer's output flattened in C order. The file is written batch by batch, so
    that no more than a batch of features is ever in memory.
    """
    to_features = keras.Model(network.input, network.get_layer(layer).output)
    width = int(np.prod(to_features.output_shape[1:]))
    header = {"descr": "<f4", "fortran_order": False, "shape": (len(images), width)}
    with open(path, "wb") as file:  # not memory-mapped: a full disk would kill the process before it could say so
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, len(images), BATCH_SIZE):
            batch = images[start : start + BATCH_SIZE]
            file.write(np.ascontiguousarray(to_features.predict_on_batch(batch), "<f4").data)
            if start // BATCH_SIZE % 10 == 0:
                log.info("%d of %d images", start + len(batch), len(images))


if __name__ == "__main__":
    layer = snakemake.wildcards.layer
    with job(snakemake.log[0], f"extract_features {layer}"):
        use_devices(snakemake.threads)
        network = load_network(snakemake.input.network)
        for prefix in ("", "test_"):
            images = load(snakemake.input[f"{prefix}images"])
            with whole(snakemake.output[f"{prefix}features"]) as part:
                extract_features(network, layer, images, part)
