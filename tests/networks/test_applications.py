"""Networks of keras.applications, with weights from a file."""

import sys

import numpy as np
import pytest
from extract_features import build_extractor, extract_features
from extract_filters import first_filters
from import_model import import_model

from common.errors import UserError
from common.networks.applications import add_rescaling, load_application, needs_rescaling, published_scaling
from common.networks.keras_setup import keras
from common.networks.model_input import choose_scaling, fit_input

NAME = "keras.applications.MobileNetV2"


@pytest.mark.slow
@pytest.mark.parametrize("top", [True, False])
def test_pretrained_network_receives_the_images_that_it_was_trained_on(digits, tmp_path, reload, top):
    """Random weights stand in for those that one downloads."""
    keras.utils.set_random_seed(2)
    model = keras.applications.MobileNetV2(weights=None, include_top=top, input_shape=(32, 32, 3))
    model.save_weights(tmp_path / "mobile.weights.h5")
    loaded = load_application(NAME, tmp_path / "mobile.weights.h5", (32, 32))
    shape = fit_input(loaded, "MobileNetV2", (8, 8, 1), (32, 32, 3))
    scaling = choose_scaling("auto", NAME, loaded)
    network = reload(import_model(loaded, (8, 8, 1), (32, 32, 3), scaling, shape))
    assert network.output_shape == model.output_shape

    images = digits[0][:4]
    resized = np.array(keras.ops.image.resize(np.repeat(images, 3, axis=-1), (32, 32), antialias=True))
    prepared = keras.applications.mobilenet_v2.preprocess_input(resized * 256)
    expected = keras.Model(model.inputs, model.get_layer("block_2_add").output).predict_on_batch(prepared)
    extract_features(build_extractor(network, "block_2_add", "average"), images, tmp_path / "features.npy")
    assert np.allclose(np.load(tmp_path / "features.npy"), expected.mean(axis=(1, 2)), atol=1e-4)
    assert first_filters(network).shape == (3, 3, 3, 32)


@pytest.fixture
def application(monkeypatch) -> str:
    """The name of a network of keras.applications that is quickly built, in place of those that are not."""

    def build(weights, include_top, input_shape):
        assert weights is None
        if min(input_shape[:2]) < 32:
            raise ValueError(f"Input size must be at least 32x32; Received: input_shape={input_shape}")
        images = keras.Input(input_shape)
        features = keras.layers.GlobalAveragePooling2D(name="average")(keras.layers.Conv2D(2, 3, name="conv")(images))
        outputs = keras.layers.Dense(5, activation="softmax", name="top")(features) if include_top else features
        return keras.Model(images, outputs, name="small")

    monkeypatch.setattr(keras.applications, "SmallNet", build, raising=False)
    return "keras.applications.SmallNet"


@pytest.mark.parametrize(("top", "outputs", "which"), [(True, 5, "with"), (False, 2, "without")])
def test_weights_fit_with_or_without_the_classification_layer(application, tmp_path, logged, top, outputs, which):
    model = keras.applications.SmallNet(None, top, (32, 40, 3))
    model.save_weights(tmp_path / "small.weights.h5")
    loaded = load_application(application, tmp_path / "small.weights.h5", (32, 40))
    assert loaded.input_shape == (None, 32, 40, 3) and loaded.output_shape == (None, outputs)
    assert np.array_equal(loaded.get_layer("conv").kernel, model.get_layer("conv").kernel)
    assert logged() == [f"{application}, {which} classification layer"]


def test_weights_of_another_network_are_refused(application, convolutions, tmp_path):
    weights = tmp_path / "other.weights.h5"
    convolutions("other", (8, 8, 1), 2).save_weights(weights)
    message = r"^network\.weights: .*other\.weights\.h5 does not fit keras\.applications\.SmallNet for images of "
    message += r"32 x 32\. With the classification layer: .*\. Without it: .*\.$"
    with pytest.raises(UserError, match=message):
        load_application(application, weights, (32, 32))


def test_image_size_that_the_network_does_not_take_is_refused(application, convolutions, tmp_path):
    weights = tmp_path / "other.weights.h5"
    convolutions("other", (8, 8, 1), 2).save_weights(weights)
    message = r"does not take images of 8 x 8 \(.*at least 32x32.*\)\. Set network\.input\.size\.$"
    with pytest.raises(UserError, match=message):
        load_application(application, weights, (8, 8))


@pytest.mark.parametrize(
    ("name", "weights", "message"),
    [
        (
            "keras.applications.MobilNetV2",
            None,
            r"^network\.model: keras\.applications has no MobilNetV2\. Did you mean",
        ),
        ("keras.applications.resnet", None, "keras.applications has no resnet"),
        (NAME, None, r"^network\.weights: .*MobileNetV2 needs a file of weights; random weights have learned nothing"),
        (
            NAME,
            "model.keras",
            r"^network\.weights: .*model\.keras is not an \.h5 file, as Keras' save_weights writes it",
        ),
        (NAME, "text.weights.h5", r"^network\.weights: .*text\.weights\.h5 cannot be read: .*signature"),
    ],
)
def test_unknown_network_and_unreadable_weights_are_refused(tmp_path, name, weights, message):
    (tmp_path / "text.weights.h5").write_text("not weights")
    with pytest.raises(UserError, match=message):
        load_application(name, weights and tmp_path / weights, (32, 32))


@pytest.mark.parametrize(
    ("kind", "scaling"),
    [
        ("MobileNetV2", "tf"),
        ("ResNet50V2", "tf"),
        ("ResNet50", "caffe"),
        ("VGG16", "caffe"),
        ("DenseNet121", "torch"),
        ("EfficientNetB0", "bytes"),
        ("EfficientNetV2S", "bytes"),
        ("MobileNetV3Small", "bytes"),
        ("ConvNeXtTiny", "bytes"),
    ],
)
def test_scaling_of_published_weights_is_known_by_name(kind, scaling, logged):
    name = f"keras.applications.{kind}"
    assert published_scaling(name) == scaling
    model = keras.Sequential([keras.Input((8, 8, 3))])
    assert choose_scaling("auto", name, model) == choose_scaling(scaling, name, model) == scaling
    assert logged() == []
    assert choose_scaling("unit", name, model) == "unit"
    assert logged()[0].startswith(f"warning: network.input.scaling is unit, but the published weights of {name} were ")


def build_beginning(top: bool = False) -> keras.Model:
    """Return a model that begins as EfficientNet does; `top` adds a classification layer."""
    images = tensor = keras.Input((32, 32, 3))
    for layer in (keras.layers.Rescaling(1 / 255), keras.layers.Normalization(), keras.layers.Conv2D(4, 3)):
        tensor = layer(tensor)
    if top:
        tensor = keras.layers.Dense(3, "softmax")(keras.layers.GlobalAveragePooling2D()(tensor))
    return keras.Model(images, tensor, name="beginning")


def test_second_rescaling_of_efficientnet_stands_behind_the_normalization(digits):
    keras.utils.set_random_seed(3)
    model = build_beginning()
    images = np.repeat(np.tile(digits[0][:3], (1, 4, 4, 1)), 3, axis=-1) * 256
    *_, normalization, convolution = model.layers
    normalized = keras.Model(model.inputs, normalization.output).predict_on_batch(images)
    expected = convolution(normalized / np.sqrt([0.229, 0.224, 0.225]))
    rescaled = add_rescaling(model)
    rescaled.set_weights(model.get_weights())
    assert rescaled.name == model.name and len(rescaled.layers) == len(model.layers) + 1
    assert np.allclose(rescaled.predict_on_batch(images), expected, atol=1e-5)


def test_file_says_whether_the_network_has_the_second_rescaling(tmp_path):
    name, model = "keras.applications.EfficientNetB0", build_beginning()
    model.save_weights(tmp_path / "own.weights.h5")
    add_rescaling(model).save_weights(tmp_path / "published.weights.h5")
    model.save(tmp_path / "old.h5")
    assert not needs_rescaling(name, tmp_path / "own.weights.h5")
    assert needs_rescaling(name, tmp_path / "published.weights.h5")
    assert needs_rescaling(name, tmp_path / "old.h5"), "as the published files"
    assert not needs_rescaling("keras.applications.EfficientNetV2B0", tmp_path / "old.h5")


@pytest.mark.slow
def test_efficientnet_is_that_of_the_published_weights(digits, tmp_path, monkeypatch):
    """Random weights stand in for those that Keras downloads."""
    keras.utils.set_random_seed(4)
    model = keras.applications.EfficientNetB0(weights=None, include_top=False, input_shape=(32, 32, 3))
    model.save(tmp_path / "published.h5")
    module = sys.modules[keras.applications.EfficientNetB0.__module__]
    monkeypatch.setattr(module.file_utils, "get_file", lambda *_, **__: str(tmp_path / "published.h5"))
    published = keras.applications.EfficientNetB0(weights="imagenet", include_top=False, input_shape=(32, 32, 3))
    loaded = load_application("keras.applications.EfficientNetB0", tmp_path / "published.h5", (32, 32))
    images = np.repeat(np.tile(digits[0][:2], (1, 4, 4, 1)), 3, axis=-1) * 256
    layer = "block1a_activation"
    ours, theirs, without = (
        keras.Model(network.inputs, network.get_layer(layer).output).predict_on_batch(images)
        for network in (loaded, published, model)
    )
    assert np.allclose(ours, theirs, atol=1e-5) and not np.allclose(ours, without, atol=0.01)
