"""Trained models, imported from files: the images are transformed to their input."""

import json
import zipfile

import numpy as np
import pytest
from import_model import import_model, load_user_model

from common.errors import UserError
from common.networks.graph import model_up_to
from common.networks.keras_setup import keras
from common.networks.model_input import channel_transform, fit_input

layers = keras.layers


@pytest.fixture
def identity() -> keras.Model:
    """A model for color images of 8 x 8 that returns them."""
    return keras.Sequential([keras.Input((8, 8, 3)), layers.Identity(name="same")])


@pytest.mark.parametrize("scaling", ["tf", "torch", "caffe", "bytes", "unit"])
def test_scaling_is_that_of_keras(digits, identity, scaling):
    images = np.concatenate([digits[0][:9], digits[0][9:18], digits[0][18:27]], axis=-1)
    expected = images if scaling == "unit" else images * 256
    if scaling in ("tf", "torch", "caffe"):
        expected = keras.applications.imagenet_utils.preprocess_input(expected.copy(), mode=scaling)
    outputs = import_model(identity, (8, 8, 3), (8, 8, 3), scaling, (8, 8, 3)).predict_on_batch(images)
    assert np.allclose(outputs, expected, atol=1e-5)
    assert scaling != "bytes" or np.array_equal(outputs, expected)


def test_images_in_the_form_of_the_input_are_passed_on(identity):
    network = import_model(identity, (8, 8, 3), (8, 8, 3), "unit", (8, 8, 3))
    assert not {layer.name for layer in network.layers} & {"images_resized", "images_scaled"}
    scaled = import_model(identity, (8, 8, 3), (8, 8, 3), "bytes", (8, 8, 3)).get_layer("images_scaled")
    assert not scaled.trainable and scaled.compute_dtype == "float32"


def test_larger_images_are_made_smaller_with_antialiasing(digits):
    large = np.tile(digits[0][:3], (1, 4, 4, 1))
    model = keras.Sequential([keras.Input((8, 8, 1)), layers.Identity(name="same")])
    outputs = import_model(model, (32, 32, 1), (8, 8, 1), "unit", (8, 8, 1)).predict_on_batch(large)
    assert np.allclose(outputs, keras.ops.image.resize(large, (8, 8), antialias=True), atol=1e-6)
    assert not np.allclose(outputs, keras.ops.image.resize(large, (8, 8)), atol=0.1)


def test_one_channel_is_repeated_and_colors_become_luminance():
    kernel, bias = channel_transform(1, 3, "unit")
    assert np.array_equal(kernel, [[1, 1, 1]]) and np.array_equal(bias, [0, 0, 0])
    kernel, bias = channel_transform(3, 1, "bytes")
    assert np.allclose(kernel[:, 0], 256 * np.array([0.299, 0.587, 0.114])) and np.array_equal(bias, [0])
    kernel, bias = channel_transform(2, 2, "tf")
    assert np.allclose(kernel, np.eye(2) * 256 / 127.5) and np.array_equal(bias, [-1, -1])


@pytest.mark.parametrize(
    ("channels", "wanted", "scaling", "message"),
    [
        (
            1,
            1,
            "caffe",
            r"network\.input\.scaling: caffe needs three channels, not 1\. Set network\.input\.channels: 3",
        ),
        (3, 1, "torch", "torch needs three channels, not 1"),
        (3, 2, "unit", r"network\.input\.channels: images of 3 channels cannot become images of 2"),
        (2, 1, "unit", "images of 2 channels cannot become images of 1"),
    ],
)
def test_channels_without_a_transform_are_refused(channels, wanted, scaling, message):
    with pytest.raises(UserError, match=message):
        channel_transform(channels, wanted, scaling)


def test_imported_model_keeps_its_layers_and_can_be_imported_again(deep, digits, reload):
    once = reload(import_model(deep, (8, 8, 1), (8, 8, 1), "bytes", (8, 8, 1)))
    twice = reload(import_model(once, (8, 8, 3), (8, 8, 1), "unit", (8, 8, 1)))
    gray = np.repeat(digits[0][:4], 3, axis=-1)
    expected = model_up_to(deep, "middle/inner/conv3").predict_on_batch(digits[0][:4] * 256)
    assert np.allclose(model_up_to(twice, "conv3").predict_on_batch(gray), expected, rtol=1e-3, atol=1e-3)
    assert twice.name == deep.name


def test_model_with_several_outputs_keeps_them(digits):
    images = keras.Input((8, 8, 1))
    model = keras.Model(images, [layers.ReLU(name="a")(images), layers.Rescaling(2.0, name="b")(images)])
    outputs = import_model(model, (8, 8, 1), (8, 8, 1), "unit", (8, 8, 1)).predict_on_batch(digits[0][:2])
    assert np.allclose(outputs[0], digits[0][:2]) and np.allclose(outputs[1], 2 * digits[0][:2])


def test_images_that_do_not_fit_are_answered_with_what_to_set(convolutions):
    model = convolutions("own", (32, None, 3), 2)
    assert fit_input(model, "own.keras", (8, 8, 1), (32, 8, 3)) == (32, 8, 3)
    message = r"^network\.input: own\.keras takes images of 32 x any x 3, these are 8 x 8 x 1\. "
    message += r"Set network\.input\.size: \[32, 8\], network\.input\.channels: 3\.$"
    with pytest.raises(UserError, match=message):
        fit_input(model, "own.keras", (8, 8, 1), (8, 8, 1))
    message = (
        r"these are 8 x 8 x 1, transformed to 50 x 50 x 3 by network\.input\. Set network\.input\.size: \[32, 50\]\.$"
    )
    with pytest.raises(UserError, match=message):
        fit_input(model, "own.keras", (8, 8, 1), (50, 50, 3))
    with pytest.raises(UserError, match=r"Set network\.input\.channels: 3\.$"):
        fit_input(model, "own.keras", (32, 8, 1), (32, 8, 1))
    free = keras.Input((None, None, None))
    assert fit_input(keras.Model(free, layers.Identity()(free)), "own.keras", (8, 8, 1), (8, 8, 1)) == (8, 8, 1)


def build_identity(*shape: int | None) -> keras.Model:
    """Return a model that returns its input."""
    return keras.Sequential([keras.Input(shape), layers.Identity(name="same")])


@pytest.mark.parametrize(
    ("taken", "filled"),
    [
        ((6, 8), (6, 8)),
        ((None, 8), (6, 8)),
        ((48,), (48,)),
        ((48, 1), (48, 1)),
        ((1, 6, 8), (1, 6, 8)),
        ((6, 8, 1), (6, 8, 1)),
    ],
)
def test_gray_images_are_given_without_channel_axis_or_flattened(digits, taken, filled):
    images, model = digits[0][:5, :6], build_identity(*taken)
    assert fit_input(model, "own.keras", (6, 8, 1), (6, 8, 1)) == filled
    network = import_model(model, (6, 8, 1), (6, 8, 1), "unit", filled)
    assert np.array_equal(network.predict_on_batch(images), images.reshape(-1, *filled)), "in the same order"


@pytest.mark.parametrize(
    ("taken", "shape", "settings"),
    [
        ((28, 28), (8, 8, 1), r"size: \[28, 28\]"),
        ((784,), (8, 8, 1), r"size: \[28, 28\]"),
        ((8, 8), (8, 8, 3), "channels: 1"),
        ((784,), (8, 8, 3), r"size: \[28, 28\], network\.input\.channels: 1"),
        ((1, 28, 28), (8, 8, 1), r"size: \[28, 28\]"),
        ((1, 8, 8), (8, 8, 3), "channels: 1"),
    ],
)
def test_other_images_for_a_model_without_channel_axis_are_answered_with_what_to_set(taken, shape, settings):
    with pytest.raises(UserError, match=rf"Set network\.input\.{settings}\.$"):
        fit_input(build_identity(*taken), "own.keras", shape, shape)


def test_models_that_take_no_images_are_refused():
    left, right = keras.Input((8, 8, 1)), keras.Input((8, 8, 1))
    both = keras.Model([left, right], layers.Add()([left, right]))
    unbuilt = keras.Sequential([layers.Dense(3)])
    for model, taken in (
        (build_identity(192), "192"),  # of three channels, or not
        (build_identity(2, 3, 4, 5), "2 x 3 x 4 x 5"),
        (both, "8 x 8 x 1 and 8 x 8 x 1"),
        (unbuilt, "no input of a known shape"),
    ):
        with pytest.raises(UserError, match=rf"^network\.model: own\.keras takes {taken}, not images") as raised:
            fit_input(model, "own.keras", (8, 8, 3), (8, 8, 3))
        assert "Put layers such as keras.layers.Reshape before it" in f"{raised.value}"


def test_saved_model_is_loaded_without_its_training(tmp_path):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    model.compile("adam", "mse")
    model.save(tmp_path / "own.keras")
    loaded = load_user_model(tmp_path / "own.keras")
    assert not loaded.compiled and np.array_equal(loaded.get_weights()[0], model.get_weights()[0])


@keras.saving.register_keras_serializable("tests")
class Doubled(layers.Layer):
    def call(self, tensor):
        return 2 * tensor


def test_saved_model_that_needs_its_own_code_is_refused(tmp_path, monkeypatch):
    keras.Sequential([keras.Input((8, 8, 1)), Doubled()]).save(tmp_path / "own.keras")
    monkeypatch.delitem(keras.saving.get_custom_objects(), "tests>Doubled")
    with pytest.raises(UserError, match=r"own\.keras cannot be loaded: it needs code that is not part of Keras"):
        load_user_model(tmp_path / "own.keras")


def test_models_in_other_formats_are_refused(tmp_path):
    (tmp_path / "folder.keras").mkdir()
    (tmp_path / "old.h5").write_bytes(b"\x89HDF")
    (tmp_path / "text.keras").write_text("not a model")
    keras.Sequential([keras.Input((4,)), layers.Dense(3)]).save(tmp_path / "own.keras")
    (tmp_path / "own.keras").rename(tmp_path / "own.zip")
    names = {"folder.keras": "a folder", "old.h5": "not a .keras file", "text.keras": "not a .keras file"}
    for name, kind in (names | {"own.zip": "not a .keras file"}).items():
        with pytest.raises(UserError) as raised:
            load_user_model(tmp_path / name)
        assert f"{raised.value}" == (
            f"network.model: {tmp_path / name} is {kind}. Load it with the Keras that wrote it, and save it with "
            f'model.save("{name.split(".")[0]}.keras").'
        )


def test_model_of_another_keras_is_answered_with_how_to_convert_it(tmp_path):
    path = tmp_path / "own.keras"
    build_identity(4).save(tmp_path / "new.keras")
    for version, message in (
        (
            "2.15.0",
            r"own\.keras was written by Keras 2\.15\.0 \(or tf_keras\), and this is Keras 3.*save\(\"own\.h5\"\)",
        ),
        (
            "3.999.0",
            r"own\.keras cannot be loaded \(Keras 3\.999\.0 wrote it, this is 3.*\): it needs code that is not",
        ),
    ):
        with zipfile.ZipFile(tmp_path / "new.keras") as source, zipfile.ZipFile(path, "w") as target:
            for name in source.namelist():
                content = source.read(name)
                if name == "metadata.json":
                    content = json.dumps({"keras_version": version})
                elif name == "config.json":
                    content = content.replace(b'"keras.layers"', b'"keras_hub.layers"')
                target.writestr(name, content)
        with pytest.raises(UserError, match=message):
            load_user_model(path)
