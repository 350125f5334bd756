"""Import a trained model as it is, and transform the data set's images to its input."""

import hashlib
import logging
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from common.errors import UserError, as_user_error, format_shape, suggest
from common.files import atomic_write, save_json
from common.inputs import load_array
from common.logs import run_logged
from common.networks.graph import explain_load_error, is_graph, trace_calls
from common.networks.keras_setup import keras, use_devices
from common.networks.model_files import check_model, check_weights
from common.provenance import provenance

log = logging.getLogger("workflow")

APPLICATIONS = "keras.applications."
LUMINANCE = (0.299, 0.587, 0.114)  # of red, green and blue, by ITU-R BT.601


def load_user_model(path: str | Path) -> keras.Model:
    """Return the model in a user's .keras file; raises UserError, which names it, if it cannot be loaded."""
    if not zipfile.is_zipfile(path) or Path(path).suffix != ".keras":
        kind = "a folder" if Path(path).is_dir() else "not a .keras file"
        raise UserError(
            f"network.model: {path} is {kind}. Load it with the Keras that wrote it, and save it with "
            f'model.save("{Path(path).stem}.keras").'
        )
    with as_user_error(lambda reason: f"network.model: {path} cannot be loaded: {reason}", explain_load_error):
        check_model(path)
        return keras.models.load_model(path, compile=False)


def load_application(name: str, weights: str | Path | None, size: Sequence[int]) -> keras.Model:
    """Return a network of keras.applications for color images of `size` (height, width), with weights from a file.

    The weights may be those with or without the classification layer; both are tried. Raises UserError if there is no
    such network, if it does not take such images, or if the weights are of another network.
    """
    kinds = [kind for kind, value in vars(keras.applications).items() if kind[0].isupper() and callable(value)]
    kind = name.removeprefix(APPLICATIONS)
    if kind not in kinds:
        raise UserError(f"network.model: keras.applications has no {kind}. {suggest(kind, kinds)}")
    check_weights_file(name, weights)
    problems = []
    for top in (True, False):
        try:
            model = getattr(keras.applications, kind)(weights=None, include_top=top, input_shape=(*size, 3))
        except ValueError as error:
            raise UserError(
                f"network.input: {name} does not take images of {format_shape(size)} ({explain_load_error(error)}). "
                "Set network.input.size."
            ) from error
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


def check_weights_file(name: str, weights: str | Path | None) -> None:
    """Raise UserError unless `weights` is an .h5 file that can be read without harm."""
    if not weights:
        raise UserError(f"network.weights: {name} needs a file of weights; random weights have learned nothing.")
    if Path(weights).suffix != ".h5":
        raise UserError(f"network.weights: {weights} is not an .h5 file, as Keras' save_weights writes it.")
    with as_user_error(lambda reason: f"network.weights: {weights} cannot be read: {reason}", explain_load_error):
        check_weights(weights)


def check_input(model: keras.Model, name: str, image_shape: Sequence[int], shape: Sequence[int]) -> None:
    """Raise UserError, which says what to set, unless `model` takes images that were transformed to `shape`."""
    inputs = model.inputs if is_graph(model) else []
    if len(inputs) != 1 or len(inputs[0].shape) != 4:
        taken = " and ".join(format_shape(tensor.shape[1:]) for tensor in inputs) or "no input of a known shape"
        raise UserError(
            f"network.model: {name} takes {taken}, not images (height, width, channels). Put layers such as "
            "keras.layers.Reshape before it, and save that model."
        )
    taken = inputs[0].shape[1:]
    settings = {}
    if any(length not in (None, ours) for length, ours in zip(taken[:2], shape[:2], strict=True)):
        settings["size"] = [length or ours for length, ours in zip(taken[:2], shape[:2], strict=True)]
    if taken[2] not in (None, shape[2]):
        settings["channels"] = taken[2]
    if settings:
        made = "" if tuple(shape) == tuple(image_shape) else f", transformed to {format_shape(shape)} by network.input"
        remedy = ", ".join(f"network.input.{key}: {value}" for key, value in settings.items())
        raise UserError(
            f"network.input: {name} takes images of {format_shape(taken)}, these are {format_shape(image_shape)}{made}."
            f" Set {remedy}."
        )


def channel_transform(channels: int, wanted: int, scaling: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the affine transform of an image's channels to a network's: kernel (channels, wanted), bias (wanted,).

    Image values are in [0, 1). One channel is repeated; three become their luminance. `scaling` is unit (0 to 1), bytes
    (0 to 255; images are multiples of 1/256), or tf, torch or caffe, as in keras.applications.imagenet_utils. Raises
    UserError if there is no such transform.
    """
    if scaling in ("torch", "caffe") and wanted != 3:
        raise UserError(
            f"network.input.scaling: {scaling} needs three channels, not {wanted}. Set network.input.channels: 3."
        )
    if channels == wanted:
        kernel = np.eye(channels)
    elif channels == 1:
        kernel = np.ones((1, wanted))
    elif wanted == 1 and channels == 3:
        kernel = np.reshape(LUMINANCE, (3, 1))
    else:
        raise UserError(f"network.input.channels: images of {channels} channels cannot become images of {wanted}.")
    if scaling == "unit":
        return kernel, np.zeros(wanted)
    kernel = kernel * 256
    if scaling == "tf":
        return kernel / 127.5, np.full(wanted, -1.0)
    if scaling == "torch":
        mean, deviation = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
        return kernel / 255 / deviation, -mean / deviation
    if scaling == "caffe":
        return kernel[:, ::-1], -np.array([103.939, 116.779, 123.68])  # blue, green, red
    return kernel, np.zeros(wanted)


def import_model(model: keras.Model, image_shape: Sequence[int], shape: Sequence[int], scaling: str) -> keras.Model:
    """Return the network that transforms images (n, *image_shape) in [0, 1) to the model's input, and applies it.

    Images are resized to the height and width of `shape` (bilinear, with antialiasing when smaller); their channels are
    transformed by `channel_transform`. The model's layers keep their names and nesting. Raises UserError if there is no
    such transform, or the model is not a graph of layers.
    """
    used = {layer.name for layer in model.layers}

    def unused(name: str) -> str:
        return unused(f"{name}_") if name in used else name

    tensor = images = keras.Input(tuple(image_shape), name=unused("images"))
    if tuple(shape[:2]) != tuple(image_shape[:2]):
        tensor = keras.layers.Resizing(*shape[:2], antialias=True, name=unused("images_resized"))(tensor)
    kernel, bias = channel_transform(image_shape[2], shape[2], scaling)
    if not (np.array_equal(kernel, np.eye(shape[2])) and not bias.any()):
        constants = (keras.initializers.Constant(values.tolist()) for values in (kernel, bias))
        initializers = dict(zip(("kernel_initializer", "bias_initializer"), constants, strict=True))  # for new weights
        name = unused("images_scaled")
        tensor = keras.layers.Dense(shape[2], trainable=False, dtype="float32", name=name, **initializers)(tensor)
    end = keras.layers.Identity(name=unused("outputs"))  # its argument is the model's output
    last = trace_calls(keras.Model(model.inputs, end(model.outputs)), [tensor])[-1]
    return keras.Model(images, last.arguments[0], name=model.name)


if __name__ == "__main__":
    with run_logged(snakemake.log[0], "import_model"):
        use_devices(snakemake.threads)
        paths, params, settings = snakemake.input, snakemake.params, snakemake.params.input
        image_shape = load_array(paths.train_images).shape[1:]
        shape = (*(settings["size"] or image_shape[:2]), settings["channels"] or image_shape[2])
        if paths.model:
            model = load_user_model(paths.model)
        else:
            model = load_application(params.model, paths.weights or None, shape[:2])
        check_input(model, params.model, image_shape, shape)
        network = import_model(model, image_shape, shape, settings["scaling"])
        log.info("images of %s become %s, %s", format_shape(image_shape), format_shape(shape), settings["scaling"])
        with atomic_write(snakemake.output.network) as part:
            network.save(part)
        files = {name: paths[name] for name in ("model", "weights") if paths[name]}
        record = {
            "parameters": model.count_params(),
            "input": shape,
            "scaling": settings["scaling"],
            "sha256": {name: hashlib.sha256(Path(path).read_bytes()).hexdigest() for name, path in files.items()},
            "provenance": provenance(snakemake.wildcards.dataset, "tensorflow", "keras", "numpy"),
        }
        save_json(snakemake.output.record, record)
