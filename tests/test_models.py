"""Models of one's own: their layers at any depth, the images made to fit them, what they predict."""

import numpy as np
import pytest
from extract_features import extract_features, model_of_features
from extract_filters import first_filters
from import_model import check_input, import_model, load_application, load_model, values
from predict_labels import predict_labels, without_predictions
from sklearn.datasets import load_digits
from train_network import Checkpoint, build_own, train_network

from common.errors import UserError
from common.networks.graph import batch_size, find_path, model_to, why_no_classes
from common.networks.keras_setup import keras
from common.networks.model_files import load_network

layers = keras.layers


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    """scikit-learn's digits, as a data set's images in [0, 1), whole 256ths, and their labels."""
    found = load_digits()
    images = (np.minimum(found.images * 16, 255) / 256).astype(np.float32)[..., None]
    return images, found.target.astype(np.int64)


def encoder(name: str, tensor_shape: tuple[int, ...], *filters: int) -> keras.Model:
    """A small nested model with layers conv1, conv2 ..."""
    tensor = inputs = keras.Input(tensor_shape)
    for number, count in enumerate(filters, start=1):
        tensor = layers.Conv2D(count, 3, padding="same", activation="relu", name=f"conv{number}")(tensor)
    return keras.Model(inputs, tensor, name=name)


@pytest.fixture(scope="module")
def deep() -> keras.Model:
    """Branches, a model in a model in a model, a Sequential one, and an operation that is no layer."""
    keras.utils.set_random_seed(1)
    images = keras.Input((8, 8, 1), name="pixel")
    middle_inputs = keras.Input((8, 8, 1))
    middle = keras.Model(middle_inputs, encoder("inner", (8, 8, 1), 4, 3, 2)(middle_inputs * 2.0), name="middle")
    tail = keras.Sequential([keras.Input((8, 8, 2)), layers.Flatten(name="flat"), layers.Dense(5, name="conv1")])
    tail.name = "tail"
    left = middle(images, training=False)
    right = layers.Conv2D(3, 3, name="right")(images)
    joined = layers.Concatenate(name="joined")([tail(left), layers.GlobalMaxPooling2D(name="most")(right)])
    return keras.Model(images, layers.Dense(10, activation="softmax", name="softmax")(joined))


def saved(model: keras.Model, folder) -> keras.Model:
    """It as it is loaded again."""
    model.save(folder / "saved.keras")
    return load_network(folder / "saved.keras")


def test_layers_of_a_nested_model_are_those_of_the_model_by_itself(deep, digits, tmp_path):
    images = digits[0][:5]
    inner = deep.get_layer("middle").get_layer("inner")
    expected = keras.Model(inner.inputs, inner.get_layer("conv2").output).predict_on_batch(images * 2)
    network = saved(deep, tmp_path)
    for name in ("middle/inner/conv2", "inner/conv2", "conv2"):
        assert np.allclose(model_to(network, name).predict_on_batch(images), expected, atol=1e-5)
    tail = deep.get_layer("tail").get_layer("conv1")
    flat = deep.get_layer("middle").predict_on_batch(images).reshape(5, -1)
    found = model_to(network, "tail/conv1").predict_on_batch(images)
    assert np.allclose(found, flat @ tail.get_weights()[0] + tail.get_weights()[1], atol=1e-5)
    assert np.allclose(model_to(network, "softmax").predict_on_batch(images), deep.predict_on_batch(images), atol=1e-6)


def test_layer_that_is_called_twice_is_looked_at_where_it_is_called_first(digits):
    images = digits[0][:3]
    inputs, twice = keras.Input((8, 8, 1)), layers.Conv2D(1, 3, padding="same", name="twice")
    network = keras.Model(inputs, twice(twice(inputs)))
    expected = keras.Sequential([keras.Input((8, 8, 1)), twice]).predict_on_batch(images)
    assert np.allclose(model_to(network, "twice").predict_on_batch(images), expected, atol=1e-6)


def test_wrong_names_of_layers_are_answered_with_the_right_ones(deep):
    with pytest.raises(UserError, match=r"no layer softmix; it has softmax, .*middle/inner/conv3") as raised:
        model_to(deep, "softmix")
    assert "multiply" not in f"{raised.value}"  # an operation
    with pytest.raises(UserError, match=r"2 layers conv1: say which, middle/inner/conv1, tail/conv1"):
        model_to(deep, "conv1")
    with pytest.raises(UserError, match=r"of its 300, those .* are layer77, .*") as raised:
        find_path([f"layer{number}" for number in range(300)], "layr77")
    assert f"{raised.value}".count(",") == 20


def test_models_without_a_graph_and_layers_with_several_outputs_are_refused():
    class Own(keras.Model):
        def call(self, images):
            return images

    with pytest.raises(UserError, match=r"a class of its own \(Own\)"):
        model_to(Own(), "conv1")
    inputs = keras.Input((8, 4))
    several = layers.LSTM(3, return_state=True, name="several")
    with pytest.raises(UserError, match="several has not one output"):
        model_to(keras.Model(inputs, several(inputs)[0]), "several")


def test_features_are_averaged_or_flattened_in_pieces(deep, digits, tmp_path, caplog, monkeypatch):
    caplog.set_level("INFO")
    images = digits[0][:50]
    expected = model_to(deep, "conv2").predict_on_batch(images)
    monkeypatch.setattr("common.networks.graph.BATCH_BYTES", 7 * 4 * 8 * 8 * 4)  # the widest tensor has 4 channels
    assert batch_size(deep) == 7
    for pool, wanted in ((None, expected.reshape(50, -1)), ("average", expected.mean(axis=(1, 2)))):
        to_features = model_of_features(deep, "conv2", pool)
        for count in (50, 0):
            extract_features(to_features, images[:count], tmp_path / "features.npy")
            features = np.load(tmp_path / "features.npy")
            assert features.shape == (count, wanted.shape[1]) and features.dtype == np.float32
            assert np.allclose(features, wanted[:count], atol=1e-5)
    assert "conv2: 8 x 8 x 3, flattened to 192" in caplog.messages
    assert "conv2: 8 x 8 x 3, averaged to 3" in caplog.messages
    with pytest.raises(UserError, match="joined puts out 8 numbers"):
        model_of_features(deep, "joined", "average")


def test_features_are_float32_and_finite(digits, tmp_path):
    inputs = keras.Input((8, 8, 1))
    half = layers.Conv2D(2, 3, dtype="mixed_float16", name="half")(inputs)
    whole = layers.Discretization(bin_boundaries=[0.3, 0.6], name="whole")(inputs)
    network = keras.Model(inputs, [half, whole])
    for name in ("half", "whole"):
        extract_features(model_of_features(network, name, None), digits[0][:4], tmp_path / f"{name}.npy")
        assert np.load(tmp_path / f"{name}.npy").dtype == np.float32
    assert np.array_equal(np.load(tmp_path / "whole.npy"), np.digitize(digits[0][:4], [0.3, 0.6]).reshape(4, -1))
    halves = model_to(network, "half").predict_on_batch(digits[0][:4])
    assert halves.dtype == np.float16
    extract_features(model_of_features(network, "half", "average"), digits[0][:4], tmp_path / "average.npy")
    expected = halves.mean(axis=(1, 2), dtype=np.float32)
    assert np.allclose(np.load(tmp_path / "average.npy"), expected, rtol=1e-6), "not averaged to 16 bits"
    images = digits[0][:4].copy()
    images[2, 0, 0] = np.inf
    with pytest.raises(UserError, match=r"of image 2 .* not finite"):
        extract_features(model_of_features(network, "half", None), images, tmp_path / "infinite.npy")
    one = np.zeros((4, 8, 8, 1), np.float32)
    one[1] = 1
    long = keras.Model(inputs, layers.Flatten()(layers.Rescaling(1e15)(inputs)))
    with pytest.raises(UserError, match=r"of image 1 .* longer than 1e\+14"):
        extract_features(long, one, tmp_path / "long.npy")


@pytest.mark.parametrize("scaling", ["tf", "torch", "caffe", "bytes", "unit"])
def test_values_are_those_of_keras(digits, scaling):
    colored = np.concatenate([digits[0][:9], digits[0][9:18], digits[0][18:27]], axis=-1)
    wanted = colored if scaling == "unit" else colored * 256
    if scaling in ("tf", "torch", "caffe"):
        wanted = keras.applications.imagenet_utils.preprocess_input(wanted.copy(), mode=scaling)
    model = keras.Sequential([keras.Input((8, 8, 3)), layers.Identity(name="same")])
    found = import_model(model, (8, 8, 3), (8, 8, 3), scaling).predict_on_batch(colored)
    assert np.allclose(found, wanted, atol=1e-5) and (scaling != "bytes" or np.array_equal(found, wanted))


def test_larger_images_are_made_smaller_with_antialiasing(digits):
    large = np.tile(digits[0][:3], (1, 4, 4, 1))
    model = keras.Sequential([keras.Input((8, 8, 1)), layers.Identity(name="same")])
    found = import_model(model, (32, 32, 1), (8, 8, 1), "unit").predict_on_batch(large)
    assert np.allclose(found, keras.ops.image.resize(large, (8, 8), antialias=True), atol=1e-6)
    assert not np.allclose(found, keras.ops.image.resize(large, (8, 8)), atol=0.1)


def test_channels_are_repeated_or_become_luminance():
    kernel, _ = values(1, 3, "unit")
    assert np.array_equal(kernel, [[1, 1, 1]])
    kernel, _ = values(3, 1, "bytes")
    assert np.allclose(kernel[:, 0], 256 * np.array([0.299, 0.587, 0.114]))
    with pytest.raises(UserError, match="caffe is of three channels"):
        values(1, 1, "caffe")


@pytest.mark.parametrize("top", [True, False])
def test_pretrained_network_of_keras_sees_what_it_was_made_for(digits, tmp_path, top):
    """Random weights stand in for those that one downloads."""
    keras.utils.set_random_seed(2)
    model = keras.applications.MobileNetV2(weights=None, include_top=top, input_shape=(32, 32, 3))
    model.save_weights(tmp_path / "mobile.weights.h5")
    loaded = load_application("keras.applications.MobileNetV2", tmp_path / "mobile.weights.h5", (32, 32))
    check_input(loaded, "MobileNetV2", (8, 8, 1), (32, 32, 3))
    network = saved(import_model(loaded, (8, 8, 1), (32, 32, 3), "tf"), tmp_path)
    assert network.output_shape == model.output_shape

    images = digits[0][:4]
    resized = np.array(keras.ops.image.resize(np.repeat(images, 3, axis=-1), (32, 32), antialias=True))
    prepared = keras.applications.mobilenet_v2.preprocess_input(resized * 256)
    expected = keras.Model(model.inputs, model.get_layer("block_2_add").output).predict_on_batch(prepared)
    extract_features(model_of_features(network, "block_2_add", "average"), images, tmp_path / "features.npy")
    assert np.allclose(np.load(tmp_path / "features.npy"), expected.mean(axis=(1, 2)), atol=1e-4)
    assert first_filters(network).shape == (3, 3, 3, 32)


def test_networks_of_keras_that_cannot_be_had_are_refused(tmp_path):
    name = "keras.applications.MobileNetV2"
    with pytest.raises(UserError, match=r"MobilNetV2 is none of .*\{MobileNetV2, "):
        load_application("keras.applications.MobilNetV2", None, (32, 32))
    with pytest.raises(UserError, match=r"network\.weights: .* has learned nothing"):
        load_application(name, None, (32, 32))
    weights = tmp_path / "other.weights.h5"
    encoder("other", (8, 8, 1), 2).save_weights(weights)
    with pytest.raises(UserError, match=r"takes no images of 8 x 8 .*at least 32x32.*: set network\.input\.size"):
        load_application(name, weights, (8, 8))
    with pytest.raises(UserError, match=r"other\.weights\.h5 does not fit .* top, .*; without it, "):
        load_application(name, weights, (32, 32))
    weights.write_text("not weights")
    with pytest.raises(UserError, match=r"other\.weights\.h5 cannot be read: .*signature"):
        load_application(name, weights, (32, 32))
    with pytest.raises(UserError, match=r"network\.weights: .*model\.keras is no \.h5 file"):
        load_application(name, tmp_path / "model.keras", (32, 32))


def test_names_stay_and_the_fitting_can_be_repeated(deep, digits, tmp_path):
    once = saved(import_model(deep, (8, 8, 1), (8, 8, 1), "bytes"), tmp_path)
    twice = saved(import_model(once, (8, 8, 3), (8, 8, 1), "unit"), tmp_path)
    gray = np.repeat(digits[0][:4], 3, axis=-1)
    expected = model_to(deep, "middle/inner/conv3").predict_on_batch(digits[0][:4] * 256)
    assert np.allclose(model_to(twice, "conv3").predict_on_batch(gray), expected, rtol=1e-3, atol=1e-3)


def test_images_that_do_not_fit_are_answered_with_what_to_set():
    model = encoder("own", (32, None, 3), 2)
    check_input(model, "own.keras", (8, 8, 1), (32, 8, 3))
    wanted = r"takes images of 32 x any x 3, these are 8 x 8 x 1: set "
    wanted += r"network\.input\.size: \[32, 8\], network\.input\.channels: 3$"
    with pytest.raises(UserError, match=wanted):
        check_input(model, "own.keras", (8, 8, 1), (8, 8, 1))
    with pytest.raises(UserError, match=r"made 50 x 50 x 3 by network\.input: set network\.input\.size: \[32, 50\]$"):
        check_input(model, "own.keras", (8, 8, 1), (50, 50, 3))
    flat = keras.Sequential([keras.Input((64,)), layers.Dense(3)])
    with pytest.raises(UserError, match=r"takes 64, not images"):
        check_input(flat, "own.keras", (8, 8, 1), (8, 8, 1))


@keras.saving.register_keras_serializable("tests")
class Doubled(layers.Layer):
    def call(self, tensor):
        return 2 * tensor


def test_saved_models_that_need_code_of_their_own_are_refused(tmp_path, monkeypatch):
    keras.Sequential([keras.Input((8, 8, 1)), Doubled()]).save(tmp_path / "own.keras")
    monkeypatch.delitem(keras.saving.get_custom_objects(), "tests>Doubled")
    with pytest.raises(UserError, match=r"own\.keras cannot be loaded: it needs code that is not Keras' own"):
        load_model(tmp_path / "own.keras")


def test_models_in_other_forms_are_refused(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "old.h5").write_bytes(b"\x89HDF")
    (tmp_path / "text.keras").write_text("not a model")
    for name, kind in (("folder", "a folder"), ("old.h5", r"no \.keras file"), ("text.keras", r"no \.keras file")):
        with pytest.raises(UserError, match=rf"network\.model: .*{name} is {kind}; .*model\.save\("):
            load_model(tmp_path / name)


OWN = """import keras
def build_network(image_shape, classes):
    return keras.Sequential([{input}keras.layers.Flatten(name="flat"), keras.layers.Dense({units}{activation}){more}])
"""
GOOD = {"input": "keras.Input(image_shape), ", "units": "classes", "activation": ', "softmax"', "more": ""}


def own(folder, **changes: str):
    path = folder / "own.py"
    path.write_text(OWN.format(**(GOOD | changes)))
    return path


def test_model_of_a_file_is_trained_and_resumed(digits, tmp_path, caplog):
    caplog.set_level("INFO")
    images, labels = digits
    schedule = [{"epochs": 2, "batch_size": 64}]
    for _ in range(2):
        keras.utils.clear_session()  # as in a new process, in which layers without a name are named anew
        keras.utils.set_random_seed(3)
        network = build_own(own(tmp_path, input=""), images, 10)
        splits = (images[:1000], labels[:1000]), (images[1000:], labels[1000:])
        network, history = train_network(network, *splits, 0.01, schedule, 3, Checkpoint(tmp_path / "checkpoint"))
    assert caplog.messages[-1] == "resumed after epoch 2"
    assert history.val_accuracy[1] > 0.7
    assert model_to(saved(network, tmp_path), "flat").output_shape == (None, 64)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import", "SyntaxError"),
        ("import a_module_that_is_not_here", "ModuleNotFoundError"),
        ("build = 1", r"no function build_network\(image_shape, classes\)"),
        ("def build_network(image_shape, classes): return 3", "returned int, not a keras.Model"),
        ("def build_network(image_shape): return 3", "TypeError"),
        (OWN.format(**GOOD | {"activation": ""}), "a softmax at its end"),
        (OWN.format(**GOOD | {"units": "3"}), r"its output is \(None, 3\), not \(None, 10\)"),
        (OWN.format(**GOOD | {"input": "keras.Input((9, 8, 1)), "}), r"takes \(None, 9, 8, 1\)"),
        (OWN.format(**GOOD | {"more": ", keras.layers.Lambda(lambda tensor: tensor)"}), "Keras' own layers"),
        (
            "import keras\n@keras.saving.register_keras_serializable()\nclass Mine(keras.layers.Layer):\n"
            "    def call(self, tensor): return tensor\n" + OWN.format(**GOOD | {"more": ", Mine()"}),
            "Keras' own layers",
        ),
        (
            "import keras\nclass Net(keras.Model):\n    def call(self, images): "
            "return keras.ops.softmax(keras.ops.reshape(images, (-1, 64))[:, :10])\n"
            "def build_network(image_shape, classes): return Net()",
            r"a class of its own \(Net\)",
        ),
    ],
)
def test_files_that_make_no_network_are_named(digits, tmp_path, text, message):
    path = tmp_path / "own.py"
    path.write_text(text)
    with pytest.raises(UserError, match=rf"network\.model: .*own\.py: .*{message}"):
        build_own(path, digits[0], 10)


def test_only_probabilities_of_the_classes_are_predictions(deep, digits):
    images, labels = digits[0][:20], digits[1][:20]
    assert why_no_classes(deep, images, 10) == ""
    assert "not (None, 7)" in why_no_classes(deep, images, 7)
    assert "softmax" in why_no_classes(keras.Model(deep.inputs, deep.output * 2.0), images, 10)
    table = predict_labels(deep, images, labels)
    probabilities = deep.predict_on_batch(images)
    assert np.array_equal(table.prediction, probabilities.argmax(axis=1))
    assert np.allclose(table.confidence, probabilities.max(axis=1), atol=1e-6)
    none = predict_labels(deep, images[:0], labels[:0])
    assert len(none) == 0 and list(none) == list(table)
    empty = without_predictions(labels, known=True)
    assert list(empty) == list(table) and list(empty.label) == list(labels)
    assert empty[["prediction", "confidence"]].isna().all(axis=None)
    assert without_predictions(labels, known=False).label.isna().all()


def test_filters_are_of_the_first_convolution_at_any_depth(deep):
    inner = keras.Sequential([keras.Input((8, 8, 1)), encoder("encoder", (8, 8, 1), 4, 3)])
    assert np.array_equal(first_filters(inner), inner.get_layer("encoder").get_layer("conv1").kernel)
    with pytest.raises(UserError, match="no convolution"):
        first_filters(keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten()]))
