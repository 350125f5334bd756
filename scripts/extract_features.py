"""Extract the features of one layer for the images of each split."""

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from common.errors import UserError, format_shape
from common.files import atomic_write, write_blocks
from common.inputs import MAX_NORM, has_finite_distances, load_array
from common.logs import run_logged
from common.networks.graph import batch_size, model_up_to
from common.networks.keras_setup import keras, use_devices
from common.networks.model_files import load_network

log = logging.getLogger("workflow")

WIDE = 20_000  # features above which the log suggests pooling


def build_extractor(network: keras.Model, layer: str, pool: str | None) -> keras.Model:
    """Return a model from the network's images to the features (n, d) float32 of a layer.

    Features are the layer's output flattened in C order or, if `pool` is "average", its average over all axes except
    the first and the last, one number a channel. Raises UserError if there is no such layer, or its output has no fixed
    shape or nothing to average.
    """
    to_layer = model_up_to(network, layer)
    shape = to_layer.output_shape[1:]
    features = keras.ops.cast(to_layer.output, "float32")
    if pool == "average":
        if len(shape) < 2:
            raise UserError(f"layers: {layer} has {format_shape(shape)} outputs, with no axes to average. Remove pool.")
        features = keras.ops.mean(features, axis=tuple(range(1, len(shape))))
        made = f"averaged to {shape[-1]:,}"
    else:
        if None in shape:
            raise UserError(f"layers: {layer} has {format_shape(shape)} outputs. Set pool: average.")
        width = int(np.prod(shape))
        features = keras.ops.reshape(features, (-1, width))
        hint = "; pool: average would reduce them" if width > WIDE and len(shape) > 1 else ""
        made = f"flattened to {width:,}{hint}"
    log.info("%s: %s, %s", layer, format_shape(shape), made)
    return keras.Model(to_layer.inputs, features)


def extract_features(extractor: keras.Model, images: np.ndarray, path: Path) -> None:
    """Write the features of `images` (n, height, width, channels) as a float32 (n, d) .npy file at `path`.

    Rows are in the order of the images. Batches are written one by one, so no more than one is in memory. Raises
    UserError if a row is not finite or too long.
    """
    size = batch_size(extractor)

    def blocks() -> Iterator[np.ndarray]:
        for number, start in enumerate(range(0, len(images), size)):
            batch = images[start : start + size]
            features = extractor.predict_on_batch(batch)
            valid = has_finite_distances(features)
            if not valid.all():
                raise UserError(
                    f"The features of image {start + valid.argmin()} are not finite, or longer than {MAX_NORM:.0e}. "
                    "Check that network.input fits the model, and that its weights are undamaged."
                )
            yield features
            if number % 10 == 0:
                log.info("%d of %d images", start + len(batch), len(images))

    write_blocks(path, (len(images), extractor.output_shape[1]), blocks())


if __name__ == "__main__":
    params = snakemake.params
    with run_logged(snakemake.log[0], f"extract_features {snakemake.wildcards.layer}"):
        use_devices(snakemake.threads)
        extractor = build_extractor(load_network(snakemake.input.network), params.layer, params.pool)
        for images, features in zip(snakemake.input.images, snakemake.output.features, strict=True):
            with atomic_write(features) as part:
                extract_features(extractor, load_array(images), part)
