"""The scaling of images for a model of one's own, guessed from its first layers."""

import numpy as np
import pytest

from common.networks.keras_setup import keras
from common.networks.model_input import choose_scaling

layers = keras.layers


def normalization(mean: float, variance: float) -> keras.layers.Layer:
    return layers.Normalization(mean=mean, variance=variance)


BEGINNINGS = {
    "a division by 255": ("bytes", [layers.Rescaling(1 / 255)]),
    "from -1 to 1": ("bytes", [layers.Rescaling(1 / 127.5, offset=-1)]),
    "unit values to -1 to 1": ("unit", [layers.Rescaling(2.0, offset=-1)]),
    "normalized bytes": ("bytes", [normalization(33.3, 6000)]),
    "normalized unit values": ("unit", [normalization(0.13, 0.09)]),
    "augmented, then scaled": ("bytes", [layers.RandomFlip(), layers.Rescaling(1 / 255)]),
    "reshaped, then scaled": ("bytes", [layers.Flatten(), layers.Reshape((8, 8, 1)), layers.Rescaling(1 / 255)]),
    "scaled later": ("unit", [layers.ReLU(), layers.Rescaling(1 / 255)]),
    "no scaling": ("unit", []),
}


@pytest.mark.parametrize("case", BEGINNINGS)
def test_model_that_begins_by_scaling_bytes_gets_bytes(case, logged):
    scaling, beginning = BEGINNINGS[case]
    model = keras.Sequential([keras.Input((8, 8, 1)), *beginning, layers.Conv2D(2, 3)])
    assert choose_scaling("auto", "own.keras", model) == scaling
    begins = "begins" if scaling == "bytes" else "does not begin"
    assert logged() == [f"network.input.scaling is {scaling}, since own.keras {begins} by scaling bytes"]
    assert choose_scaling("tf", "own.keras", model) == "tf" and len(logged()) == 1


@pytest.mark.parametrize(
    ("scaling", "prepare"),
    [
        ("bytes", lambda images: images / 255.0),
        ("bytes", lambda images: (images - 127.5) / 127.5),
        ("bytes", lambda images: images * (1 / 255)),
        ("bytes", keras.applications.mobilenet_v2.preprocess_input),
        ("bytes", keras.applications.vgg16.preprocess_input),
        ("bytes", keras.applications.densenet.preprocess_input),
        ("unit", lambda images: (images - 0.5) / 0.5),
        ("unit", lambda images: images * 2 - 1),
        ("unit", lambda images: images + images),
    ],
)
def test_operations_at_the_beginning_count_as_layers(scaling, prepare):
    images = keras.Input((8, 8, 3))
    model = keras.Model(images, layers.Conv2D(2, 3)(prepare(images)))
    assert choose_scaling("auto", "own.keras", model) == scaling
    nested = keras.Sequential([keras.Input((8, 8, 3)), model])
    assert choose_scaling("auto", "own.keras", nested) == scaling, "in a model in a model, too"


def test_adapted_normalization_tells_the_range_of_its_data(digits):
    for factor, scaling in ((1, "unit"), (256, "bytes")):
        layer = layers.Normalization(axis=None)
        layer.adapt(np.asarray(digits[0][:100]) * factor)
        model = keras.Sequential([keras.Input((8, 8, 1)), layer, layers.Conv2D(2, 3)])
        assert choose_scaling("auto", "own.keras", model) == scaling
