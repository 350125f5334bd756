"""The layers of any Keras model, at any depth, and the check of its output."""

import difflib
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from common.errors import UserError, describe_error
from common.networks.keras_setup import keras

MAX_BATCH_BYTES = 200e6  # of the widest tensor in a batch; TensorFlow holds a few of them at once
MAX_BATCH_SIZE = 250  # small batches stay in the cache of the processor
MAX_NAMES = 20  # that an error message lists


class Call(NamedTuple):
    """The call of a layer in a model: its arguments and its output."""

    layer: keras.Operation
    arguments: tuple
    keywords: dict
    output: object

    def is_nested_model(self) -> bool:
        """Return whether the layer is a model whose own layers can be reached.

        One that is called with training=True is not, since its layers then behave differently.
        """
        return bool(is_graph(self.layer) and self.arguments and not self.keywords.get("training"))

    def tensors(self) -> list[keras.KerasTensor]:
        """Return the tensors that a nested model is called with, as a flat list."""
        return keras.tree.flatten(self.arguments[0])


def is_graph(model: keras.Operation) -> bool:
    """Return whether a model is a graph of layers: a functional or a built Sequential model."""
    if isinstance(model, keras.Sequential):
        return bool(getattr(model, "inputs", None))  # an attribute of built models only
    return isinstance(model, keras.Function)


def call_layer(layer: keras.Operation, *arguments: object, **keywords: object) -> object:
    """Return the output of a layer."""
    return layer(*arguments, **keywords)


def trace_calls(model: keras.Model, inputs: Sequence[keras.KerasTensor], function: Callable = call_layer) -> list[Call]:
    """Return the calls of a model's layers and operations, repeated with `inputs` and the same weights.

    They are in the order of the computation. A nested model is one call. `function` calls a layer with its arguments.
    """
    found = []

    def call(layer: keras.Operation, *arguments: object, **keywords: object) -> object:
        found.append(Call(layer, arguments, keywords, function(layer, *arguments, **keywords)))
        return found[-1].output

    functional = keras.Model(model.inputs, model.outputs)
    keras.models.clone_model(functional, list(inputs), clone_function=lambda layer: layer, call_function=call)
    return found


def inputs_like(tensors: Sequence[keras.KerasTensor]) -> list[keras.KerasTensor]:
    """Return an input like each of these tensors."""
    return [keras.Input(batch_shape=tensor.shape, dtype=tensor.dtype) for tensor in tensors]


def make_inputs(model: keras.Model) -> list[keras.KerasTensor]:
    """Return inputs like those of the model; raises UserError if it is not a graph of layers."""
    if not is_graph(model):
        raise UserError(
            f"the model {model.name} is a subclass ({type(model).__name__}), whose layers cannot be reached. Build it "
            "with keras.Model(inputs, outputs) or keras.Sequential"
        )
    return inputs_like(model.inputs)


def trace_all_calls(model: keras.Model, prefix: str = "", inputs: Sequence[keras.KerasTensor] = ()) -> dict[str, Call]:
    """Return the first call of each layer at any depth, by path: "encoder/conv1" is in the nested model "encoder".

    `inputs` replace the model's own, if given. Raises UserError if the model is not a graph of layers.
    """
    found = {}
    for call in trace_calls(model, inputs or make_inputs(model)):
        path = f"{prefix}{call.layer.name}"
        if path not in found:
            found[path] = call
            if call.is_nested_model():
                found |= trace_all_calls(call.layer, f"{path}/", inputs_like(call.tensors()))
    return found


def find_path(paths: Sequence[str], name: str) -> str:
    """Return the path of the layer with this path, or the one path that ends with this name.

    Raises UserError, which lists names, if there is none or more than one.
    """
    if name in paths:
        return name
    found = [path for path in paths if path.endswith(f"/{name}")]
    if len(found) == 1:
        return found[0]
    if found:
        raise UserError(f"layers: the network has {len(found)} layers called {name}. Choose one of {', '.join(found)}.")

    def likeness(path: str) -> float:
        return difflib.SequenceMatcher(None, name, path if "/" in name else path.split("/")[-1]).ratio()

    nearest = sorted(paths, key=likeness, reverse=True)[:MAX_NAMES]
    which = f"The nearest names of its {len(paths)} layers are" if len(paths) > MAX_NAMES else "It has"
    raise UserError(f"layers: the network has no layer {name}. {which} {', '.join(nearest)}.")


def model_up_to(network: keras.Model, layer: str) -> keras.Model:
    """Return a model from the network's images to the output of one of its layers, which `find_path` finds.

    Of a layer that is called several times, the first call counts. Raises UserError if there is no such layer, if it
    has several outputs, or if the network is not a graph of layers.
    """
    found = trace_all_calls(network)
    path = find_path([path for path, call in found.items() if isinstance(call.layer, keras.Layer)], layer)
    if not isinstance(found[path].output, keras.KerasTensor):
        raise UserError(f"layers: {path} has several outputs, which are not one feature matrix. Choose another layer.")
    return _model_at_path(network, path.split("/"))


def _model_at_path(network: keras.Model, names: Sequence[str], inputs: Sequence[keras.KerasTensor] = ()) -> keras.Model:
    """Return the model from `inputs`, or inputs like the network's own, to the output of the layer at a path."""
    inputs = inputs or make_inputs(network)
    call = next(call for call in trace_calls(network, inputs) if call.layer.name == names[0])
    output = call.output
    if len(names) > 1:
        output = _model_at_path(call.layer, names[1:], inputs_like(call.tensors()))(call.tensors())
    return keras.Model(inputs, output, name=network.name)


def find_widest(network: keras.Model) -> float:
    """Return the number of values of one image in the widest tensor of a network."""
    outputs = [call.output for call in trace_all_calls(network).values()]
    shapes = [tensor.shape[1:] for tensor in (*keras.tree.flatten(outputs), *network.inputs)]
    return max(np.prod([length or 1 for length in shape], dtype=float) for shape in shapes)


def batch_size(network: keras.Model) -> int:
    """Return how many images make a batch in bounded memory."""
    return int(np.clip(MAX_BATCH_BYTES / (4 * find_widest(network)), 1, MAX_BATCH_SIZE))


def explain_output(network: keras.Model, images: np.ndarray, classes: int) -> str:
    """Return why a network's output is not a probability for each class, judged on a few images; "" if it is."""
    shape = network.output_shape
    if shape != (None, classes):
        return f"its output is {shape}, not (None, {classes}), a probability for each of {classes} classes"
    output = network.predict_on_batch(images[:8]).astype(np.float32)
    if not ((output >= 0).all() and np.allclose(output.sum(axis=1), 1, atol=1e-2)):  # float16 is that coarse
        return "its outputs are not probabilities. End it with a softmax"
    return ""


def explain_load_error(error: Exception) -> str:
    """Return why a model could not be built or loaded, in one short line."""
    text = f"{error}"
    if not isinstance(error, UserError) and ("Lambda" in text or "Could not locate" in text):
        return "it needs its own code to be loaded. Build it from Keras' own layers, without Lambda"
    return describe_error(error)
