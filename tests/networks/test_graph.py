"""The layers of models at any depth, the size of batches, and the check of a model's output."""

import numpy as np
import pytest

from common.errors import UserError
from common.networks.graph import (
    batch_size,
    explain_load_error,
    explain_output,
    find_path,
    is_graph,
    make_inputs,
    model_up_to,
    trace_all_calls,
)
from common.networks.keras_setup import keras

layers = keras.layers


def test_layer_of_a_nested_model_computes_what_it_computes_alone(deep, digits, reload):
    images = digits[0][:5]
    inner = deep.get_layer("middle").get_layer("inner")
    expected = keras.Model(inner.inputs, inner.get_layer("conv2").output).predict_on_batch(images * 2)
    network = reload(deep)
    for name in ("middle/inner/conv2", "inner/conv2", "conv2"):
        assert np.allclose(model_up_to(network, name).predict_on_batch(images), expected, atol=1e-5)
    tail = deep.get_layer("tail").get_layer("conv1")
    flat = deep.get_layer("middle").predict_on_batch(images).reshape(5, -1)
    output = model_up_to(network, "tail/conv1").predict_on_batch(images)
    assert np.allclose(output, flat @ tail.get_weights()[0] + tail.get_weights()[1], atol=1e-5)
    whole = model_up_to(network, "softmax").predict_on_batch(images)
    assert np.allclose(whole, deep.predict_on_batch(images), atol=1e-6)


def test_layer_that_is_called_twice_gives_its_first_output(digits):
    images = digits[0][:3]
    inputs, twice = keras.Input((8, 8, 1)), layers.Conv2D(1, 3, padding="same", name="twice")
    network = keras.Model(inputs, twice(twice(inputs)))
    expected = keras.Sequential([keras.Input((8, 8, 1)), twice]).predict_on_batch(images)
    assert np.allclose(model_up_to(network, "twice").predict_on_batch(images), expected, atol=1e-6)


def test_layers_are_listed_in_the_order_of_the_computation(deep):
    paths = list(trace_all_calls(deep))
    middle = ["middle", "middle/inner", "middle/inner/conv1", "middle/inner/conv2", "middle/inner/conv3"]
    assert [path for path in paths if path in middle] == middle
    assert paths.index("tail/flat") < paths.index("tail/conv1") < paths.index("joined") < paths.index("softmax")


def test_nested_model_with_two_inputs_is_reached():
    left, right = keras.Input((4,)), keras.Input((4,))
    added = keras.Model([left, right], layers.Add(name="sum")([left, layers.ReLU(name="positive")(right)]), name="both")
    inputs = keras.Input((4,))
    network = keras.Model(inputs, added([inputs, layers.Rescaling(-1.0)(inputs)]))
    rows = np.array([[1, -2, 3, -4]], np.float32)
    assert model_up_to(network, "both/positive").predict_on_batch(rows).tolist() == [[0, 2, 0, 4]]
    assert model_up_to(network, "sum").predict_on_batch(rows).tolist() == [[1, 0, 3, 0]]


def test_layers_of_a_model_called_for_training_are_not_offered(convolutions):
    inputs = keras.Input((8, 8, 1))
    network = keras.Model(inputs, convolutions("encoder", (8, 8, 1), 2)(inputs, training=True))
    assert list(trace_all_calls(network)) == ["encoder"]
    with pytest.raises(UserError, match=r"the network has no layer conv1\. It has encoder\.$"):
        model_up_to(network, "conv1")


def test_wrong_layer_name_is_answered_with_the_right_ones(deep):
    with pytest.raises(UserError, match=r"no layer softmix. It has softmax, .*middle/inner/conv3") as raised:
        model_up_to(deep, "softmix")
    assert "multiply" not in f"{raised.value}"  # an operation
    message = r"^layers: the network has 2 layers called conv1. Choose one of middle/inner/conv1, tail/conv1.$"
    with pytest.raises(UserError, match=message):
        model_up_to(deep, "conv1")


def test_of_many_layers_the_nearest_names_are_listed():
    names = [f"layer{number}" for number in range(300)]
    with pytest.raises(UserError, match=r"nearest names of its 300 layers are layer77, ") as raised:
        find_path(names, "layr77")
    assert f"{raised.value}".count(",") == 19
    with pytest.raises(UserError, match="It has layer") as raised:
        find_path(names[:20], "layr7")
    assert f"{raised.value}".count(",") == 19
    with pytest.raises(UserError, match=r"It has encoder/first/conv, second/conv"):
        find_path(["second/conv", "encoder/first/conv"], "encoder/frist/conv")
    with pytest.raises(UserError, match=r"It has a/very/long/path/conv1, dense"):
        find_path(["dense", "a/very/long/path/conv1"], "conv")


def test_subclassed_model_is_refused():
    class Subclass(keras.Model):
        def call(self, images):
            return images

    with pytest.raises(UserError, match=r"is a subclass \(Subclass\), .* Build it with keras\.Model"):
        model_up_to(Subclass(), "conv1")
    assert not is_graph(keras.Sequential([layers.Dense(3)]))
    assert is_graph(keras.Sequential([keras.Input((2,)), layers.Dense(3)]))


def test_layer_with_several_outputs_is_refused():
    inputs = keras.Input((8, 4))
    several = layers.LSTM(3, return_state=True, name="several")
    with pytest.raises(UserError, match="layers: several has several outputs"):
        model_up_to(keras.Model(inputs, several(inputs)[0]), "several")


def test_inputs_are_like_those_of_the_model():
    left, right = keras.Input((None, 3), dtype="int32"), keras.Input((2,), dtype="float16")
    inputs = make_inputs(keras.Model([left, right], [left, right]))
    assert [(tensor.shape, tensor.dtype) for tensor in inputs] == [
        ((None, None, 3), "int32"),
        ((None, 2), "float16"),
    ]


@pytest.mark.parametrize(
    ("shape", "width", "expected"),
    [
        ((25_000,), 1_000_000, 50),  # 200 MB of float32
        ((1_000_000,), 10, 50),
        ((25_000,), 10, 250),  # no more, though there is memory
        ((100_000_000, 1), 10, 1),
        ((None, 400_000), 10, 125),  # a free length counts as 1
    ],
)
def test_batch_of_the_widest_tensor_takes_bounded_memory(shape, width, expected):
    images = keras.Input(shape)
    narrow = layers.Lambda(lambda tensor: keras.ops.zeros((1, 10)), output_shape=(10,))(images)
    wide = layers.Lambda(lambda tensor: keras.ops.zeros((1, width)), output_shape=(width,))(narrow)
    assert batch_size(keras.Model(images, wide)) == expected


def test_output_of_probabilities_for_each_class_is_accepted(deep, digits):
    images = digits[0][:20]
    assert explain_output(deep, images, 10) == ""
    assert explain_output(deep, images, 7).startswith("its output is (None, 10), not (None, 7)")
    for wrong in (deep.output * 2.0, deep.output * 1.03, deep.output - 0.2, deep.output * 0.9):
        problem = explain_output(keras.Model(deep.inputs, wrong), images, 10)
        assert problem == "its outputs are not probabilities. End it with a softmax"
    assert explain_output(keras.Model(deep.inputs, deep.output * 1.005), images, 10) == "", "float16 is that coarse"
    assert explain_output(keras.Model(deep.inputs, layers.Identity(dtype="float16")(deep.output)), images, 10) == ""
    certain = keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten(), layers.Lambda(lambda rows: rows[:, :2] * 0)])
    certain.add(layers.Lambda(lambda rows: rows + keras.ops.convert_to_tensor([0.0, 1.0])))
    assert explain_output(certain, images, 2) == "", "a probability of 0 is one"
    negative = keras.ops.concatenate([deep.output[:, :9], deep.output[:, 9:] - 0.5, deep.output[:, :1] * 0 + 0.5], 1)
    assert "softmax" in explain_output(keras.Model(deep.inputs, negative), images, 11), "of sum 1, but negative"


def test_reason_of_a_failure_is_one_short_line():
    own_code = "it needs its own code to be loaded. Build it from Keras' own layers, without Lambda"
    assert explain_load_error(ValueError("Requested the deserialization of a Lambda layer")) == own_code
    assert explain_load_error(TypeError("Could not locate class 'Mine'")) == own_code
    assert explain_load_error(UserError("it holds Python code (Lambda)")) == "it holds Python code (Lambda)"
    assert explain_load_error(ValueError("a\n  b")) == "ValueError: a b"
