"""A network that is to be trained, with its initial weights."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from common.errors import UserError
from common.networks.architectures import load_architecture
from common.networks.keras_setup import keras
from common.networks.user_model import build_user_model


def build_network(
    model: str, file: str | None, architecture: Mapping[str, Any], seed: int, images: np.ndarray, classes: int
) -> keras.Model:
    """Return a network for `images` (n, height, width, channels) of some classes; its weights depend on the seed.

    It is the one that the user's `file` builds or, without a file, the built-in `model` with the settings of its
    `architecture`. Raises UserError if there are no classes.
    """
    if not classes:
        raise UserError(
            "Training needs labels, and this data set has none. Give labels, or a trained model as network.model."
        )
    keras.utils.set_random_seed(seed)
    if file:
        return build_user_model(file, images, classes)
    return load_architecture(model).build(images.shape[1:], classes, architecture)
