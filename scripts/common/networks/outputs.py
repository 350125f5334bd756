"""The outputs of a network as predicted classes."""

from collections.abc import Sequence

import numpy as np

from common.errors import UserError, format_shape
from common.networks.graph import trace_all_calls
from common.networks.keras_setup import keras
from common.text import count_noun

FOLDERS = "folders"  # a value of network.class_order: the order of strings, as of names of folders
MAX_PROBABILITY = 1.01  # as coarse as float16 is
FAR = 0.1  # a difference in accuracy from which a warning names the other order of the classes


def ends_linear(network: keras.Model) -> bool:
    """Return whether a network ends in a layer without activation, so that its outputs are logits."""
    last = [call.layer for call in trace_all_calls(network).values() if not call.is_nested_model()][-1]
    return getattr(last, "activation", None) is keras.activations.linear


def explain_mismatch(network: keras.Model, classes: int) -> str:
    """Return why a network does not predict so many classes; "" if it does.

    Its output is one number a class, or a single one for two classes.
    """
    if len(network.outputs) != 1:
        return f"it has {len(network.outputs)} outputs"
    shape = tuple(network.output_shape[1:])
    if shape == (classes,) or (shape == (1,) and classes == 2):
        return ""
    return f"its output is {format_shape(shape)}, and there are {count_noun(classes, 'class', 'classes')}"


def predict_classes(outputs: np.ndarray, linear: bool, classes: int = 2) -> tuple[np.ndarray, np.ndarray, str]:
    """Return the predicted output of each of n images, int64 (n,), its probability (n,), and what the outputs are.

    `outputs` (n, classes) or, for two `classes`, (n, 1) are probabilities or logits; `linear` says that they must be
    logits. A single output is the probability, or the logit, of the second class. Raises UserError unless all outputs
    are finite.
    """
    if not np.isfinite(outputs).all():
        raise UserError(
            "The network's outputs are not finite. Check that network.input fits the model, and that its weights are "
            "undamaged."
        )
    bounded = not linear and bool(((outputs >= 0) & (outputs <= MAX_PROBABILITY)).all())
    kind = "probabilities" if bounded else "logits"
    if outputs.shape[1] == 1 and classes == 2:
        outputs = np.concatenate([1 - outputs if bounded else np.zeros_like(outputs), outputs], axis=1)
        kind = f"{kind} of the second class"
    probabilities = outputs
    if not bounded:
        exponentials = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
    return outputs.argmax(axis=1), np.minimum(probabilities.max(axis=1, initial=0), 1), kind


def order_outputs(order: str | Sequence[str] | None, names: Sequence[str], source_names: Sequence[str]) -> np.ndarray:
    """Return the class number of each output, (classes,), for `network.class_order`.

    `order` is None for the order of the class numbers, FOLDERS for that of the classes' names in the source as strings
    (0, 1, 10, 11, 2 ...), or lists all `names`. Raises UserError if it lists others.
    """
    if order is None:
        return np.arange(len(names))
    if order == FOLDERS:
        return np.array(sorted(range(len(names)), key=source_names.__getitem__))
    if sorted(order) != sorted(names):
        wrong = sorted(set(order) ^ set(names)) or [name for name in order if order.count(name) > 1]
        raise UserError(
            f"network.class_order: it must list the {len(names)} classes of the data set, each once. Check {wrong[0]}."
        )
    return np.array([list(names).index(name) for name in order])


def explain_order(predicted: np.ndarray, labels: np.ndarray, order: np.ndarray, source_names: Sequence[str]) -> str:
    """Return a warning if another order of the outputs fits far better than `order` (classes,); "" if none does.

    `predicted` (n,) are outputs, `labels` (n,) class numbers. The orders that are tried are those of the class numbers
    and of the classes' names in the source as strings.
    """
    accuracy = np.mean(order[predicted] == labels) if len(labels) else 1
    for setting, key in ((None, int), (FOLDERS, source_names.__getitem__)):
        other = np.array(sorted(range(len(source_names)), key=key))
        better = np.mean(other[predicted] == labels) if len(labels) else 0
        if better > accuracy + FAR:
            start = ", ".join(source_names[number] for number in other[:5])
            return (
                f"warning: {accuracy:.0%} of the predictions for training images are right. {better:.0%} would be if "
                f"the model's outputs were the classes {start} and so on, in this order. If they are, set "
                f"network.class_order: {setting or 'null'}."
            )
    return ""
