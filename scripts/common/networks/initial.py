"""A network before training: new weights, and batch normalization's averages from images."""

import numpy as np

from common.networks.graph import Call, find_widest, make_inputs, trace_calls
from common.networks.keras_setup import keras

MAX_IMAGES = 5000  # that batch normalization's averages are computed from
MAX_BYTES = 1e9  # of the widest tensor for these images


def reset_weights(model: keras.Model, seed: int) -> keras.Model:
    """Return a model of the same layers with new weights, drawn by their own initializers with a seed.

    What a Normalization layer was adapted to is kept: it describes images, and is not trained.
    """
    keras.utils.set_random_seed(seed)
    copy = keras.models.clone_model(model)
    layers = (list(network._flatten_layers(include_self=False)) for network in (model, copy))
    for trained, new in zip(*layers, strict=True):
        if isinstance(trained, keras.layers.Normalization):
            new.set_weights(trained.get_weights())
            new.finalize_state()
    return copy


def count_images(network: keras.Model, available: int) -> int:
    """Return of how many images the averages are computed: MAX_IMAGES, fewer if they take more than MAX_BYTES."""
    return int(min(available, max(1, MAX_BYTES // (4 * find_widest(network))), MAX_IMAGES))


def set_normalization(network: keras.Model, images: np.ndarray) -> int:
    """Set the moving averages of batch normalization, in place, to those of `images` (n, height, width, channels).

    Each layer gets those of its own input, after the layers before it have got theirs; all other layers compute as
    they do after training. Return the number of layers.
    """
    found = []

    def call(layer: keras.Operation, *arguments: object, **keywords: object) -> object:
        traced = Call(layer, arguments, keywords, None)
        if traced.is_nested_model():
            return trace_calls(layer, traced.tensors(), call)[-1].output
        if isinstance(layer, keras.layers.BatchNormalization):
            found.append(layer)
            keywords["training"] = True
        return layer(*arguments, **keywords)

    inputs = make_inputs(network)
    outputs = [traced.output for traced in trace_calls(network, inputs, call)]
    settings = [(layer, layer.momentum, layer.trainable) for layer in found]
    for layer in found:
        layer.momentum, layer.trainable = 0, True  # the averages of one batch, also in a frozen layer
    try:
        if found:
            keras.Model(inputs, outputs[-1])([np.asarray(images)])
    finally:
        for layer, momentum, trainable in settings:
            layer.momentum, layer.trainable = momentum, trainable
    return len({id(layer) for layer in found})
