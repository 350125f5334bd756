"""Any Keras model's layers: their names at any depth, what they put out, and whether it tells the classes."""

import difflib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from common.backend import keras
from common.jobs import UserError

BATCH_BYTES = 200e6  # of the widest tensor in a batch: TensorFlow holds a few of them at once
BATCH_SIZE = 1000  # at most
NEAREST = 20  # of many names those that are shown


class Call(NamedTuple):
    """A layer of a model as it is called: with which tensors, and what comes out."""

    layer: keras.Operation
    arguments: tuple
    keywords: dict
    output: object

    def nested(self) -> bool:
        """Whether it is a model whose layers can be looked at by themselves.

        One that is called with training=True is not: its layers then do what they don't do by themselves.
        """
        return bool(is_graph(self.layer) and self.arguments and not self.keywords.get("training"))

    def tensors(self) -> list[keras.KerasTensor]:
        """The tensors that a nested model is called with, as a flat list."""
        return keras.tree.flatten(self.arguments[0])


def is_graph(model: keras.Operation) -> bool:
    """Whether what a model does is known as a graph of layers: a functional or a built Sequential model."""
    return isinstance(model, keras.Function) or (isinstance(model, keras.Sequential) and bool(model.inputs))


def calls(model: keras.Model, inputs: Sequence[keras.KerasTensor]) -> list[Call]:
    """The layers and operations of a model, each called anew with its own weights on what follows from `inputs`.

    In the order of the computation. Nested models are called as they are.
    """
    found = []

    def call(layer: keras.Operation, *arguments: object, **keywords: object) -> object:
        found.append(Call(layer, arguments, keywords, layer(*arguments, **keywords)))
        return found[-1].output

    functional = keras.Model(model.inputs, model.outputs)
    keras.models.clone_model(functional, list(inputs), clone_function=lambda layer: layer, call_function=call)
    return found


def new_inputs(tensors: Sequence[keras.KerasTensor]) -> list[keras.KerasTensor]:
    """An input like each of these tensors."""
    return [keras.Input(batch_shape=tensor.shape, dtype=tensor.dtype) for tensor in tensors]


def inputs_of(model: keras.Model) -> list[keras.KerasTensor]:
    """Inputs like the model's own; raises UserError if it is no graph of layers."""
    if not is_graph(model):
        raise UserError(
            f"the model {model.name} is a class of its own ({type(model).__name__}), whose layers cannot be looked "
            "at: build it with keras.Model(inputs, outputs) or keras.Sequential"
        )
    return new_inputs(model.inputs)


def all_calls(model: keras.Model, prefix: str = "", inputs: Sequence[keras.KerasTensor] = ()) -> dict[str, Call]:
    """As `calls`, at any depth, by path: "encoder/conv1" is in the nested model "encoder"; the first call of each.

    With `inputs` in the place of the model's own. Raises UserError if it is no graph of layers.
    """
    found = {}
    for call in calls(model, inputs or inputs_of(model)):
        path = f"{prefix}{call.layer.name}"
        if path not in found:
            found[path] = call
            if call.nested():
                found |= all_calls(call.layer, f"{path}/", new_inputs(call.tensors()))
    return found


def find_path(paths: Sequence[str], name: str) -> str:
    """The path of the layer that is called `name`: by its path, or by the end of it if only one layer's ends so.

    Raises UserError, with the right names, if there is none or several.
    """
    if name in paths:
        return name
    found = [path for path in paths if path.endswith(f"/{name}")]
    if len(found) == 1:
        return found[0]
    if found:
        raise UserError(f"layers: the network has {len(found)} layers {name}: say which, {', '.join(found)}")

    def likeness(path: str) -> float:
        return difflib.SequenceMatcher(None, name, path if "/" in name else path.split("/")[-1]).ratio()

    nearest = sorted(paths, key=likeness, reverse=True)[:NEAREST]
    which = f"of its {len(paths)}, those with the nearest names are" if len(paths) > NEAREST else "it has"
    raise UserError(f"layers: the network has no layer {name}; {which} {', '.join(nearest)}")


def model_to(network: keras.Model, layer: str) -> keras.Model:
    """A model from the network's images to the output of one of its layers, at any depth, by `find_path`.

    A layer that is called several times is looked at where it is called first. Raises UserError if there is no such
    layer, if it has not one output, or if the network is no graph of layers.
    """
    found = all_calls(network)
    path = find_path([path for path, call in found.items() if isinstance(call.layer, keras.Layer)], layer)
    if not isinstance(found[path].output, keras.KerasTensor):
        raise UserError(f"layers: {path} has not one output but several, which make no matrix of features")
    return _down_to(network, path.split("/"))


def _down_to(network: keras.Model, names: Sequence[str], inputs: Sequence[keras.KerasTensor] = ()) -> keras.Model:
    """The model from `inputs`, as the network's own if there are none, to the output of the layer at a path."""
    inputs = inputs or inputs_of(network)
    call = next(call for call in calls(network, inputs) if call.layer.name == names[0])
    output = call.output
    if len(names) > 1:
        output = _down_to(call.layer, names[1:], new_inputs(call.tensors()))(call.tensors())
    return keras.Model(inputs, output, name=network.name)


def batch_size(network: keras.Model) -> int:
    """How many images a network can look at together, in bounded memory, by the widest of its tensors."""
    outputs = [call.output for call in all_calls(network).values()]
    shapes = [tensor.shape[1:] for tensor in (*keras.tree.flatten(outputs), *network.inputs)]
    widest = max(np.prod([length or 1 for length in shape], dtype=float) for shape in shapes)
    return int(np.clip(BATCH_BYTES / (4 * widest), 1, BATCH_SIZE))


def why_no_classes(network: keras.Model, images: np.ndarray, classes: int) -> str:
    """Why a network's output is not a probability for each of so many classes, by what it makes of a few images.

    Nothing if it is.
    """
    shape = network.output_shape
    if shape != (None, classes):
        return f"its output is {shape}, not (None, {classes}), a probability for each of {classes} classes"
    output = network.predict_on_batch(images[:8]).astype(np.float32)
    if not ((output >= 0).all() and np.allclose(output.sum(axis=1), 1, atol=1e-2)):  # float16 is that coarse
        return "its outputs are not probabilities, which a softmax at its end would make them"
    return ""


def what_is_wrong(error: Exception) -> str:
    """Why a model could not be made or loaded, in one short line."""
    text = " ".join(f"{error}".split())
    if isinstance(error, UserError):
        return text
    if "Lambda" in text or "Could not locate" in text:
        return "it can only be loaded where its own code is: it must be made of Keras' own layers, without Lambda"
    return f"{type(error).__name__}: {text:.200}"
