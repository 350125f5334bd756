"""Write what one layer of the network makes of each training image, and of each test image."""

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from common.arrays import LONGEST, load, measurable
from common.backend import keras, use_devices
from common.files import whole, write_blocks
from common.jobs import UserError, job
from common.model_files import load_network
from common.networks import batch_size, model_to

log = logging.getLogger("workflow")

WIDE = 20_000  # numbers an image, of which it is said that there are many


def model_of_features(network: keras.Model, layer: str, pool: str | None) -> keras.Model:
    """A model from the network's images to the features of a layer, (n, d) float32.

    They are the layer's output flattened in C order or, if `pool` is "average", its average over all axes but the first
    and the last, a number a channel. Raises UserError if there is no such layer (as `model_to` finds it), or it has
    nothing to average, or no fixed shape.
    """
    to_layer = model_to(network, layer)
    shape = to_layer.output_shape[1:]
    features = keras.ops.cast(to_layer.output, "float32")
    sizes = " x ".join(map(str, shape))
    if pool == "average":
        if len(shape) < 2:
            raise UserError(f"layers: {layer} puts out {sizes} numbers an image, without places to average: no pool")
        features = keras.ops.mean(features, axis=tuple(range(1, len(shape))))
        made = f"averaged to {shape[-1]:,}"
    else:
        if None in shape:
            raise UserError(f"layers: {layer} puts out {sizes}, of no fixed size; take pool: average")
        width = int(np.prod(shape))
        features = keras.ops.reshape(features, (-1, width))
        hint = "; pool: average would make it few" if width > WIDE and len(shape) > 1 else ""
        made = f"flattened to {width:,}{hint}"
    log.info("%s: %s, %s", layer, sizes, made)
    return keras.Model(to_layer.inputs, features)


def extract_features(to_features: keras.Model, images: np.ndarray, path: Path) -> None:
    """Write what `to_features` makes of `images` (n, height, width, channels) as a float32 (n, d) .npy file at `path`.

    Rows are in the images' order. The file is written batch by batch, so that no more than a batch of features is ever
    in memory. Raises UserError if a row is not measurable.
    """
    size = batch_size(to_features)

    def blocks() -> Iterator[np.ndarray]:
        for number, start in enumerate(range(0, len(images), size)):
            batch = images[start : start + size]
            features = to_features.predict_on_batch(batch)
            good = measurable(features)
            if not good.all():
                raise UserError(
                    f"of image {start + good.argmin()} the layer makes features that are not finite, or longer than "
                    f"{LONGEST:.0e}: the network does not fit these images (network.input), or its weights are damaged"
                )
            yield features
            if number % 10 == 0:
                log.info("%d of %d images", start + len(batch), len(images))

    write_blocks(path, (len(images), to_features.output_shape[1]), blocks())


if __name__ == "__main__":
    params = snakemake.params
    with job(snakemake.log[0], f"extract_features {snakemake.wildcards.layer}"):
        use_devices(snakemake.threads)
        to_features = model_of_features(load_network(snakemake.input.network), params.layer, params.pool)
        for prefix in ("", "test_"):
            images = load(snakemake.input[f"{prefix}images"])
            with whole(snakemake.output[f"{prefix}features"]) as part:
                extract_features(to_features, images, part)
