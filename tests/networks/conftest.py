"""Small models, and the digits as images and labels."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from common.networks.keras_setup import keras, tf
from common.networks.model_files import load_network

layers = keras.layers


@pytest.fixture(scope="session")
def digits() -> tuple[np.ndarray, np.ndarray]:
    """scikit-learn's digits: images (n, 8, 8, 1) in [0, 1), multiples of 1/256, and labels (n,)."""
    dataset = load_digits()
    images = (np.minimum(dataset.images * 16, 255) / 256).astype(np.float32)[..., None]
    return images, dataset.target.astype(np.int64)


def build_convolutions(name: str, shape: tuple[int | None, ...], *filters: int) -> keras.Model:
    """Return a small model with the layers conv1, conv2 and so on."""
    tensor = inputs = keras.Input(shape)
    for number, count in enumerate(filters, start=1):
        tensor = layers.Conv2D(count, 3, padding="same", activation="relu", name=f"conv{number}")(tensor)
    return keras.Model(inputs, tensor, name=name)


@pytest.fixture(scope="session")
def convolutions() -> Callable[..., keras.Model]:
    """A function that builds a small model with the layers conv1, conv2 and so on."""
    return build_convolutions


@pytest.fixture(scope="session")
def deep() -> keras.Model:
    """A model with branches, a model in a model in a model, a Sequential model, and an operation that is no layer.

    It maps images 8 x 8 to the probabilities of ten classes. Not to be changed.
    """
    keras.utils.set_random_seed(1)
    images = keras.Input((8, 8, 1), name="pixel")
    middle_inputs = keras.Input((8, 8, 1))
    inner = build_convolutions("inner", (8, 8, 1), 4, 3, 2)
    middle = keras.Model(middle_inputs, inner(middle_inputs * 2.0), name="middle")
    tail = keras.Sequential([keras.Input((8, 8, 2)), layers.Flatten(name="flat"), layers.Dense(5, name="conv1")])
    tail.name = "tail"
    left = middle(images, training=False)
    right = layers.Conv2D(3, 3, name="right")(images)
    joined = layers.Concatenate(name="joined")([tail(left), layers.GlobalMaxPooling2D(name="most")(right)])
    return keras.Model(images, layers.Dense(10, activation="softmax", name="softmax")(joined))


@pytest.fixture
def reload(tmp_path) -> Callable[[keras.Model], keras.Model]:
    """A function that saves a model and loads it again."""

    def save_and_load(model: keras.Model) -> keras.Model:
        path: Path = tmp_path / "saved.keras"
        model.save(path)
        return load_network(path)

    return save_and_load


@pytest.fixture
def logged(caplog) -> Callable[[], list[str]]:
    """A function that returns the messages in the workflow's log."""
    caplog.set_level("INFO", logger="workflow")
    return lambda: [record.getMessage() for record in caplog.records if record.name == "workflow"]


@pytest.fixture
def eagerly() -> Iterator[None]:
    """TensorFlow without graphs, whose compilation takes longer than a small training."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)
