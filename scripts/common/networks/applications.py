"""Networks of keras.applications, with published weights from a file."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import h5py
import numpy as np

from common.errors import UserError, as_user_error, format_shape, suggest
from common.networks.graph import explain_load_error
from common.networks.keras_setup import keras
from common.networks.model_files import check_weights

log = logging.getLogger("workflow")

APPLICATIONS = "keras.applications."
MODES = ("tf", "torch", "caffe")  # of keras.applications.imagenet_utils.preprocess_input
DEVIATIONS = np.array([0.229, 0.224, 0.225])  # of ImageNet's red, green and blue


def load_application(name: str, weights: str | Path | None, size: Sequence[int]) -> keras.Model:
    """Return a network of keras.applications for color images of `size` (height, width), with weights from a file.

    The weights may be those with or without the classification layer; both are tried. Raises UserError if there is no
    such network, if it does not take such images, or if the weights are of another network.
    """
    build = find_application(name)
    check_weights_file(name, weights)
    problems = []
    for top in (True, False):
        try:
            model = build(weights=None, include_top=top, input_shape=(*size, 3))
        except ValueError as error:
            raise UserError(
                f"network.input: {name} does not take images of {format_shape(size)} ({explain_load_error(error)}). "
                "Set network.input.size."
            ) from error
        if needs_rescaling(name, weights):
            model = add_rescaling(model)
        try:
            with as_user_error(str, explain_load_error):
                model.load_weights(weights)
        except UserError as error:
            problems.append(f"{error}")
            continue
        log.info("%s, %s classification layer", name, "with" if top else "without")
        return model
    raise UserError(
        f"network.weights: {weights} does not fit {name} for images of {format_shape(size)}. With the classification "
        f"layer: {problems[0]}. Without it: {problems[1]}."
    )


def find_application(name: str) -> Callable[..., keras.Model]:
    """Return the function that builds a network of keras.applications; raises UserError if there is none."""
    kinds = {kind: value for kind, value in vars(keras.applications).items() if kind[0].isupper() and callable(value)}
    kind = name.removeprefix(APPLICATIONS)
    if kind not in kinds:
        raise UserError(f"network.model: keras.applications has no {kind}. {suggest(kind, kinds)}")
    return kinds[kind]


def check_weights_file(name: str, weights: str | Path | None) -> None:
    """Raise UserError unless `weights` is an .h5 file that can be read without harm."""
    if not weights:
        raise UserError(f"network.weights: {name} needs a file of weights; random weights have learned nothing.")
    if Path(weights).suffix != ".h5":
        raise UserError(f"network.weights: {weights} is not an .h5 file, as Keras' save_weights writes it.")
    with as_user_error(lambda reason: f"network.weights: {weights} cannot be read: {reason}", explain_load_error):
        check_weights(weights)


def needs_rescaling(name: str, weights: str | Path) -> bool:
    """Return whether a network is EfficientNet of the published weights, which has a second Rescaling layer.

    A file in the format of Keras 3 lists all layers, so it says whether the network that it is of has the second one.
    An older file, as the published ones are, does not.
    """
    if not name.startswith(f"{APPLICATIONS}EfficientNetB"):
        return False
    with h5py.File(weights, "r") as stored:
        return "layers" not in stored or "rescaling_1" in stored["layers"]


def add_rescaling(model: keras.Model) -> keras.Model:
    """Return EfficientNet, newly built, with the layer that Keras adds after the normalization for weights="imagenet".

    The published network was trained with images divided by the variance, not by the standard deviation as Keras'
    Normalization divides (keras/src/applications/efficientnet.py).
    """
    rescaling = keras.layers.Rescaling((1 / np.sqrt(DEVIATIONS)).tolist(), name="rescaling_published")

    def call(layer: keras.Operation, *arguments: object, **keywords: object) -> object:
        output = layer(*arguments, **keywords)
        return rescaling(output) if isinstance(layer, keras.layers.Normalization) else output

    return keras.models.clone_model(model, call_function=call)


def published_scaling(name: str) -> str:
    """Return the scaling of images for the published weights: tf, torch or caffe, or bytes.

    It is that of the `preprocess_input` beside the network, which changes nothing (so the scaling is bytes) where the
    network contains its preprocessing.
    """
    kind, colors = find_application(name).__name__, np.array([[[[0.0, 100.0, 255.0]]]])
    modules = [value for value in vars(keras.applications).values() if hasattr(value, kind)]
    for module in modules:  # none for MobileNetV3, which contains its preprocessing
        prepared = module.preprocess_input(colors.copy())
        for mode in MODES:
            if np.allclose(prepared, keras.applications.imagenet_utils.preprocess_input(colors.copy(), mode=mode)):
                return mode
    return "bytes"
