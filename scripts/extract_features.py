"""Write what one layer of the network makes of each training image."""

import logging
from pathlib import Path

import numpy as np

from common.backend import keras, use_devices
from common.files import whole
from common.jobs import job

log = logging.getLogger("workflow")

BATCH_SIZE = 1000


def extract_features(network: keras.Model, layer: str, images: np.ndarray, path: Path) -> None:
    """Write the output of `layer` for `images` (n, height, width, channels) as a float32 (n, d) .npy file at `path`.

    Rows are in the images' order, each the layer's output flattened in C order. The file is memory-mapped and filled
    batch by batch, so that no more than a batch of features is ever in the process's own memory.
    """
    to_features = keras.Model(network.input, network.get_layer(layer).output)
    width = int(np.prod(to_features.output_shape[1:]))
    features = np.lib.format.open_memmap(path, "w+", np.float32, (len(images), width))
    for start in range(0, len(images), BATCH_SIZE):
        batch = images[start : start + BATCH_SIZE]
        features[start : start + len(batch)] = to_features.predict_on_batch(batch).reshape(len(batch), width)
        if start // BATCH_SIZE % 10 == 0:
            log.info("%d of %d images", start + len(batch), len(images))
    features.flush()


if __name__ == "__main__":
    layer = snakemake.wildcards.layer
    with job(snakemake.log[0], f"extract_features {layer}"):
        use_devices(snakemake.threads)
        images = np.load(snakemake.input.images, mmap_mode="r")
        network = keras.models.load_model(snakemake.input.network)
        with whole(snakemake.output.features) as part:
            extract_features(network, layer, images, part)
