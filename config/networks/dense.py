"""A network without convolutions, with about as many parameters as that of the notebook."""

import keras
from keras import layers

UNITS = (376, 240, 116)


def build_network(image_shape: tuple[int, ...], classes: int) -> keras.Model:
    """Return the network for images of this shape and a number of classes."""
    network = keras.Sequential([keras.Input(image_shape), layers.Flatten()])
    for number, units in enumerate(UNITS, start=1):
        network.add(layers.Dense(units))
        network.add(layers.BatchNormalization(momentum=0.9, epsilon=1e-4))
        network.add(layers.ReLU(name=f"dense{number}"))
    network.add(layers.Dense(classes, activation="softmax"))
    return network
