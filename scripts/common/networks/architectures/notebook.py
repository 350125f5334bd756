"""The convolutional network of the notebook, with any number of layers of any width."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from common.errors import UserError
from common.text import count_noun, join_words

if TYPE_CHECKING:
    import keras


def layer_names(network: Mapping[str, Any]) -> list[str]:
    """Return the names of all layers, for the settings `filters` and `units`, in the order of the computation."""
    convolutions = [f"conv{number}" for number in range(1, 1 + len(network["filters"]))]
    first_dense = 1 + len(convolutions)
    dense = [f"dense{number}" for number in range(first_dense, first_dense + len(network["units"]))]
    return [
        "pixel",
        *(f"{name}{part}" for name in convolutions for part in ("_filters", "_norm", "_relu", "")),
        "flat",
        *(f"{name}{part}" for name in dense for part in ("_weights", "_norm", "")),
        "softmax",
    ]


def check_image_size(network: Mapping[str, Any], height: int, width: int) -> None:
    """Raise UserError if the images are too small for the number of convolutions, each of which halves them."""
    convolutions = len(network["filters"])
    smallest = 2**convolutions
    if min(height, width) < smallest:
        raise UserError(
            f"network.filters: {convolutions} convolutions, each of which halves the images, need images of at least "
            f"{smallest} x {smallest} pixels, and these have {height} x {width}. Give fewer filters or larger images."
        )


def build(image_shape: Sequence[int], classes: int, network: Mapping[str, Any]) -> "keras.Model":
    """Return the network: images (n, height, width, channels) -> class probabilities (n, classes).

    It has a convolution for each number in `filters`, each `kernel` x `kernel`, then a dense layer for each number in
    `units`. The outputs of the layers named conv1, conv2, ..., and dense3, ... are the features of these names. Batch
    normalization is that of Lasagne: running averages with factor 0.1, epsilon 1e-4. Raises UserError if the images are
    too small.
    """
    from common.networks.keras_setup import keras

    check_image_size(network, *image_shape[:2])
    layers, names = keras.layers, iter(layer_names(network))

    def normalize(tensor: keras.KerasTensor) -> keras.KerasTensor:
        return layers.BatchNormalization(momentum=0.9, epsilon=1e-4, name=next(names))(tensor)

    tensor = images = keras.Input(tuple(image_shape), name=next(names))
    for count in network["filters"]:
        bias = keras.initializers.Constant(0.05)
        convolution = layers.Conv2D(count, network["kernel"], padding="same", bias_initializer=bias, name=next(names))
        tensor = normalize(convolution(tensor))
        tensor = layers.ReLU(name=next(names))(tensor)
        tensor = layers.MaxPooling2D(2, name=next(names))(tensor)
    tensor = layers.Flatten(name=next(names))(tensor)
    for count in network["units"]:
        tensor = normalize(layers.Dense(count, name=next(names))(tensor))
        tensor = layers.ReLU(name=next(names))(tensor)
    return keras.Model(images, layers.Dense(classes, activation="softmax", name=next(names))(tensor))


def describe(network: Mapping[str, Any]) -> str:
    """Return the architecture in words, for the methods section."""
    kernel = f"{network['kernel']} x {network['kernel']}"
    parts = [
        f"{count_noun(len(network['filters']), 'convolutional layer')} ({join_words(network['filters'])} filters of "
        f"{kernel}) with batch normalization, ReLU and 2 x 2 max pooling"
    ]
    if network["units"]:
        units = f"({join_words(network['units'])} units) with batch normalization and ReLU"
        parts.append(f"{count_noun(len(network['units']), 'dense layer')} {units}")
    return f"a convolutional network of {join_words([*parts, 'a softmax layer'])}"
