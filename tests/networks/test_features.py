"""The features of a layer, in batches, and the filters of the first convolution."""

import numpy as np
import pytest
from extract_features import build_extractor, extract_features
from extract_filters import first_filters

from common.errors import UserError
from common.networks.graph import batch_size, model_up_to
from common.networks.keras_setup import keras

layers = keras.layers


def extract(extractor: keras.Model, images: np.ndarray, tmp_path) -> np.ndarray:
    """Return the features that extract_features writes."""
    extract_features(extractor, images, tmp_path / "features.npy")
    return np.load(tmp_path / "features.npy")


@pytest.mark.parametrize(("pool", "message"), [(None, "flattened to 192"), ("average", "averaged to 3")])
def test_features_of_a_layer_are_flattened_or_averaged(deep, digits, tmp_path, logged, monkeypatch, pool, message):
    images = digits[0][:50]
    outputs = model_up_to(deep, "conv2").predict_on_batch(images)
    expected = outputs.reshape(50, -1) if pool is None else outputs.mean(axis=(1, 2))
    extractor = build_extractor(deep, "conv2", pool)
    assert logged() == [f"conv2: 8 x 8 x 3, {message}"]
    whole = extract(extractor, images, tmp_path)
    monkeypatch.setattr("common.networks.graph.MAX_BATCH_BYTES", 7 * 4 * 8 * 8 * 4)  # the widest tensor has 4 channels
    assert batch_size(extractor) == 7
    for features in (whole, extract(extractor, images, tmp_path)):
        assert features.shape == expected.shape and features.dtype == np.float32
        assert np.allclose(features, expected, atol=1e-5)
    assert extract(extractor, images[:0], tmp_path).shape == (0, expected.shape[1])


def test_progress_is_logged_every_ten_batches(deep, digits, tmp_path, logged, monkeypatch):
    monkeypatch.setattr("common.networks.graph.MAX_BATCH_SIZE", 2)
    extractor = build_extractor(deep, "conv2", None)
    extract(extractor, digits[0][:25], tmp_path)
    assert logged()[1:] == ["2 of 25 images", "22 of 25 images"]


def test_only_axes_besides_the_last_are_averaged(deep):
    with pytest.raises(UserError, match=r"^layers: joined has 8 outputs, with no axes to average\. Remove pool\.$"):
        build_extractor(deep, "joined", "average")
    inputs = keras.Input((4, 3))
    extractor = build_extractor(keras.Model(inputs, layers.Identity(name="same")(inputs)), "same", "average")
    rows = np.arange(12, dtype=np.float32).reshape(1, 4, 3)
    assert extractor.predict_on_batch(rows).tolist() == [[4.5, 5.5, 6.5]]


def test_layer_of_free_size_needs_pooling():
    inputs = keras.Input((None, 8, 3))
    network = keras.Model(inputs, layers.Identity(name="same")(inputs))
    with pytest.raises(UserError, match=r"^layers: same has any x 8 x 3 outputs\. Set pool: average\.$"):
        build_extractor(network, "same", None)
    assert build_extractor(network, "same", "average").output_shape == (None, 3)


@pytest.mark.parametrize(("shape", "hint"), [((20_001, 1), True), ((20_000, 1), False), ((20_001,), False)])
def test_pooling_is_suggested_for_wide_features(shape, hint, logged):
    inputs = keras.Input(shape)
    build_extractor(keras.Model(inputs, layers.Identity(name="same")(inputs)), "same", None)
    assert logged()[0].endswith("; pool: average would reduce them") == hint


def test_features_of_any_type_become_float32(digits, tmp_path):
    inputs = keras.Input((8, 8, 1))
    half = layers.Conv2D(2, 3, dtype="mixed_float16", name="half")(inputs)
    whole = layers.Discretization(bin_boundaries=[0.3, 0.6], name="whole")(inputs)
    network, images = keras.Model(inputs, [half, whole]), digits[0][:4]
    features = extract(build_extractor(network, "whole", None), images, tmp_path)
    assert features.dtype == np.float32
    assert np.array_equal(features, np.digitize(images, [0.3, 0.6]).reshape(4, -1))
    halves = model_up_to(network, "half").predict_on_batch(images)
    assert halves.dtype == np.float16
    features = extract(build_extractor(network, "half", None), images, tmp_path)
    assert features.dtype == np.float32 and np.array_equal(features, halves.reshape(4, -1))
    average = extract(build_extractor(network, "half", "average"), images, tmp_path)
    assert np.allclose(average, halves.mean(axis=(1, 2), dtype=np.float32), rtol=1e-6), "not averaged in 16 bits"


def test_features_that_are_not_finite_or_too_long_are_refused(digits, tmp_path, monkeypatch):
    monkeypatch.setattr("common.networks.graph.MAX_BATCH_SIZE", 2)
    inputs = keras.Input((8, 8, 1))
    network = keras.Model(inputs, layers.Flatten(name="flat")(layers.Rescaling(1e15)(inputs)))
    images = np.zeros((4, 8, 8, 1), np.float32)
    images[3] = 1
    with pytest.raises(UserError, match=r"features of image 3 are not finite, or longer than 1e\+14\. Check that"):
        extract(build_extractor(network, "flat", None), images, tmp_path)
    images = digits[0][:4].copy()
    images[2, 0, 0] = np.inf
    with pytest.raises(UserError, match=r"features of image 2 are not finite"):
        extract(keras.Model(inputs, layers.Flatten()(inputs)), images, tmp_path)


def test_filters_are_those_of_the_first_convolution_at_any_depth(convolutions):
    network = keras.Sequential([keras.Input((8, 8, 1)), convolutions("encoder", (8, 8, 1), 4, 3)])
    assert np.array_equal(first_filters(network), network.get_layer("encoder").get_layer("conv1").kernel)
    with pytest.raises(UserError, match="no convolution"):
        first_filters(keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten()]))
