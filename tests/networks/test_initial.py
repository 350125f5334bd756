"""Networks before training: new weights, and the averages of batch normalization."""

import numpy as np
import pytest
from import_model import import_model

from common.networks.architectures.notebook import build
from common.networks.graph import model_up_to
from common.networks.initial import count_images, reset_weights, set_normalization
from common.networks.keras_setup import keras

layers = keras.layers
NOTEBOOK = {"filters": [4, 6], "kernel": 3, "units": [5]}


def channel_moments(network: keras.Model, layer: str, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean and the standard deviation of each channel of a layer's output."""
    outputs = model_up_to(network, layer).predict_on_batch(images)
    axes = tuple(range(outputs.ndim - 1))
    return outputs.mean(axis=axes), outputs.std(axis=axes)


def test_normalized_layers_have_mean_zero_and_variance_one_in_inference(digits):
    images = digits[0][:500]
    network = build(images.shape[1:], 10, NOTEBOOK)
    before = network.get_weights()
    assert channel_moments(network, "conv2_norm", images)[1].max() < 0.9
    assert set_normalization(network, images) == 3
    for layer in ("conv1_norm", "conv2_norm", "dense3_norm"):
        mean, deviation = channel_moments(network, layer, images)
        assert np.abs(mean).max() < 1e-4 and np.allclose(deviation, 1, atol=0.02), layer
    changed = [not np.array_equal(*pair) for pair in zip(before, network.get_weights(), strict=True)]
    assert sum(changed) == 6, "two averages of three layers"
    assert network.get_layer("conv1_norm").momentum == 0.9


def test_nested_and_frozen_layers_are_normalized_and_dropout_is_not_used(digits):
    images = digits[0][:300]
    inner = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(3, 3, name="conv"),
            layers.BatchNormalization(name="norm", epsilon=1e-7),  # so small that weights of any size are normalized
        ]
    )
    inner.trainable = False
    network = keras.Sequential(
        [keras.Input((8, 8, 1)), inner, layers.Dropout(0.9), layers.Flatten(), layers.BatchNormalization(name="last")]
    )
    assert set_normalization(network, images) == 2
    mean, deviation = channel_moments(network, "norm", images)
    assert np.abs(mean).max() < 1e-4 and np.allclose(deviation, 1, atol=0.02)
    mean, deviation = channel_moments(network, "last", images)
    assert np.abs(mean).max() < 1e-4, "the input of the last layer is that of inference"
    assert not inner.trainable and not inner.get_layer("norm").trainable


def test_network_without_normalization_is_left_as_it_is(digits, convolutions):
    network = convolutions("plain", (8, 8, 1), 3)
    before = network.get_weights()
    assert set_normalization(network, digits[0][:50]) == 0
    assert all(map(np.array_equal, before, network.get_weights()))


def test_new_weights_are_drawn_by_their_own_initializers_with_the_seed(deep):
    copies = [reset_weights(deep, seed) for seed in (1, 1, 2)]
    weights = [np.concatenate([values.ravel() for values in model.get_weights()]) for model in (deep, *copies)]
    assert np.array_equal(weights[1], weights[2])
    assert not np.array_equal(weights[1], weights[3]) and not np.array_equal(weights[0], weights[1])
    for model in copies:
        assert [layer.name for layer in model.layers] == [layer.name for layer in deep.layers]
        assert not model.get_layer("softmax").bias.numpy().any(), "as the initializer of the bias says"
        limit = np.sqrt(6 / (8 + 10))  # Glorot's, of a layer with 8 inputs and 10 units
        assert np.abs(model.get_layer("softmax").kernel.numpy()).max() <= limit


def test_transform_to_the_models_input_is_kept(digits):
    images = digits[0][:20]
    model = keras.Sequential([keras.Input((8, 8, 3)), layers.Identity(name="same"), layers.Conv2D(2, 3, name="conv")])
    network = import_model(model, (8, 8, 1), (8, 8, 3), "tf", (8, 8, 3))
    copy = reset_weights(network, seed=5)
    expected, found = (model_up_to(one, "same").predict_on_batch(images) for one in (network, copy))
    assert np.array_equal(found, expected) and expected.min() == -1
    assert not np.array_equal(*(one.get_layer("conv").kernel.numpy() for one in (network, copy)))


def test_what_normalization_was_adapted_to_is_kept(digits):
    adapted = layers.Normalization(axis=None, name="adapted")
    adapted.adapt(7 * digits[0])
    model = keras.Sequential([keras.Input((8, 8, 1)), adapted, layers.Flatten(), layers.Dense(2, name="dense")])
    outputs = model_up_to(reset_weights(model, seed=3), "adapted").predict_on_batch(7 * digits[0])
    assert np.allclose([outputs.mean(), outputs.std()], [0, 1], atol=1e-4)


@pytest.mark.parametrize(("filters", "available", "count"), [(1, 1797, 1797), (1, 60_000, 5000), (5000, 60_000, 781)])
def test_images_are_as_many_as_there_are_up_to_a_limit_and_fit_into_memory(filters, available, count):
    network = keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(filters, 3, padding="same")])
    assert count_images(network, available) == count  # of 4 x 5,000 x 8 x 8 bytes each, 781 are a gigabyte
