"""The built-in architectures: each module by its interface, and the network of the notebook."""

import pkgutil

import numpy as np
import pytest
import yaml

from common.errors import UserError
from common.networks import architectures
from common.networks.architectures import load_architecture
from common.networks.architectures.notebook import build, describe
from common.networks.keras_setup import keras
from helpers import ROOT

DEFAULTS = yaml.safe_load((ROOT / "config/config.yaml").read_text())["network"]
NOTEBOOK = {"filters": [20, 40], "kernel": 5, "units": [200]}


@pytest.mark.parametrize("name", [module.name for module in pkgutil.iter_modules(architectures.__path__)])
def test_architecture_builds_the_layers_that_it_names_and_describes_itself(name):
    module = load_architecture(name)
    module.check_image_size(DEFAULTS, 28, 28)
    network = module.build((28, 28, 1), 10, DEFAULTS)
    assert (network.input_shape, network.output_shape) == ((None, 28, 28, 1), (None, 10))
    assert module.layer_names(DEFAULTS) == [layer.name for layer in network.layers]
    outputs = network.predict_on_batch(np.random.default_rng(0).uniform(size=(3, 28, 28, 1)).astype(np.float32))
    assert (outputs >= 0).all() and np.allclose(outputs.sum(axis=1), 1, atol=1e-5)
    description = module.describe(DEFAULTS)
    assert isinstance(description, str) and len(description.split()) > 5


def test_default_architecture_is_built_in():
    assert load_architecture(DEFAULTS["model"]).__name__.endswith(".notebook")


@pytest.mark.parametrize("name", ["none", "notebook.none", "../notebook", ""])
def test_unknown_architecture_is_not_found(name):
    with pytest.raises(ModuleNotFoundError):
        load_architecture(name)


@pytest.fixture(scope="module")
def network() -> keras.Model:
    return build((28, 28, 1), 10, NOTEBOOK)


def test_network_has_the_layers_of_the_notebook(network):
    shapes = {name: network.get_layer(name).output.shape[1:] for name in ("conv1", "conv2", "dense3", "softmax")}
    assert shapes == {"conv1": (14, 14, 20), "conv2": (7, 7, 40), "dense3": (200,), "softmax": (10,)}
    kinds = [type(layer).__name__ for layer in network.layers]
    convolution = ["Conv2D", "BatchNormalization", "ReLU", "MaxPooling2D"]
    dense = ["Flatten", "Dense", "BatchNormalization", "ReLU", "Dense"]
    assert kinds == ["InputLayer", *convolution, *convolution, *dense]
    assert network.get_layer("softmax").activation is keras.activations.softmax


def test_parameters_of_the_layers_are_those_of_lasagne(network):
    for name, kernel, bias in (
        ("conv1_filters", (5, 5, 1, 20), 0.05),
        ("conv2_filters", (5, 5, 20, 40), 0.05),
        ("dense3_weights", (1960, 200), 0),
    ):
        layer = network.get_layer(name)
        assert layer.kernel.shape == kernel and np.allclose(layer.bias, bias)
        assert layer.activation is keras.activations.linear
    for name in ("conv1_norm", "conv2_norm", "dense3_norm"):
        assert (network.get_layer(name).momentum, network.get_layer(name).epsilon) == (0.9, 1e-4)


def test_layers_are_numbered_through():
    settings = {"filters": [3, 4, 5], "kernel": 3, "units": [6, 7]}
    network = build((16, 20, 3), 7, settings)
    shapes = {name: network.get_layer(name).output.shape[1:] for name in ("conv3", "dense4", "dense5", "softmax")}
    assert shapes == {"conv3": (2, 2, 5), "dense4": (6,), "dense5": (7,), "softmax": (7,)}
    assert network.get_layer("conv3_filters").kernel.shape == (3, 3, 4, 5)
    assert load_architecture("notebook").layer_names(settings) == [layer.name for layer in network.layers]


def test_images_must_be_large_enough_for_the_convolutions():
    settings = {"filters": [1, 1, 1, 1, 1], "kernel": 3, "units": []}
    message = (
        r"^network\.filters: 5 convolutions, each of which halves the images, need images of at least 32 x 32 pixels, "
        r"and these have 16 x 40\. Give fewer filters or larger images\.$"
    )
    for check in (
        lambda: build((16, 40, 3), 7, settings),
        lambda: load_architecture("notebook").check_image_size(settings, 16, 40),
    ):
        with pytest.raises(UserError, match=message):
            check()
    assert build((32, 33, 1), 7, settings).get_layer("conv5").output.shape == (None, 1, 1, 1)


def test_description_counts_the_layers():
    assert describe(NOTEBOOK) == (
        "a convolutional network of 2 convolutional layers (20 and 40 filters of 5 x 5) with batch normalization, ReLU "
        "and 2 x 2 max pooling, 1 dense layer (200 units) with batch normalization and ReLU and a softmax layer"
    )
    assert describe({"filters": [8], "kernel": 3, "units": []}) == (
        "a convolutional network of 1 convolutional layer (8 filters of 3 x 3) with batch normalization, ReLU and "
        "2 x 2 max pooling and a softmax layer"
    )
