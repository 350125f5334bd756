"""The network of the notebook without batch normalization."""

import keras
from keras import layers


def build_network(image_shape: tuple[int, ...], classes: int) -> keras.Model:
    """Return the network for images of this shape and a number of classes."""
    return keras.Sequential(
        [
            keras.Input(image_shape),
            layers.Conv2D(20, 5, padding="same", activation="relu"),
            layers.MaxPooling2D(name="conv1"),
            layers.Conv2D(40, 5, padding="same", activation="relu"),
            layers.MaxPooling2D(name="conv2"),
            layers.Flatten(),
            layers.Dense(200, activation="relu", name="dense3"),
            layers.Dense(classes, activation="softmax"),
        ]
    )
