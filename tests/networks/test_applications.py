"""Networks of keras.applications, with weights from a file."""

import numpy as np
import pytest
from extract_features import build_extractor, extract_features
from extract_filters import first_filters
from import_model import check_input, import_model, load_application

from common.errors import UserError
from common.networks.keras_setup import keras

NAME = "keras.applications.MobileNetV2"


@pytest.mark.slow
@pytest.mark.parametrize("top", [True, False])
def test_pretrained_network_receives_the_images_that_it_was_trained_on(digits, tmp_path, reload, top):
    """Random weights stand in for those that one downloads."""
    keras.utils.set_random_seed(2)
    model = keras.applications.MobileNetV2(weights=None, include_top=top, input_shape=(32, 32, 3))
    model.save_weights(tmp_path / "mobile.weights.h5")
    loaded = load_application(NAME, tmp_path / "mobile.weights.h5", (32, 32))
    check_input(loaded, "MobileNetV2", (8, 8, 1), (32, 32, 3))
    network = reload(import_model(loaded, (8, 8, 1), (32, 32, 3), "tf"))
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
