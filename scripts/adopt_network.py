"""Take a trained network from outside, as it is, and make it take the data set's images."""

import difflib
import hashlib
import json
import logging
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from common.arrays import load
from common.backend import keras, use_devices
from common.files import whole
from common.jobs import UserError, job
from common.model_files import check_model, check_weights
from common.networks import calls, is_graph, what_is_wrong
from common.provenance import provenance

log = logging.getLogger("workflow")

APPLICATIONS = "keras.applications."
LUMINANCE = (0.299, 0.587, 0.114)  # of red, green and blue, as ITU-R BT.601 has them


def load_model(path: str | Path) -> keras.Model:
    """The model in a .keras file of one's own; raises UserError, which names it, if it is none or cannot be loaded."""
    if not zipfile.is_zipfile(path) or Path(path).suffix != ".keras":
        kind = "a folder" if Path(path).is_dir() else "no .keras file"
        raise UserError(
            f"network.model: {path} is {kind}; load it with the Keras that wrote it, and save it with "
            f'model.save("{Path(path).stem}.keras")'
        )
    try:
        check_model(path)
        return keras.models.load_model(path, compile=False)
    except MemoryError:
        raise
    except Exception as error:  # a file from outside can make its reader fail in any way
        raise UserError(f"network.model: {path} cannot be loaded: {what_is_wrong(error)}") from error


def load_application(name: str, weights: str | Path | None, size: Sequence[int]) -> keras.Model:
    """A network of keras.applications, for color images of `size` (height, width), with the weights in a file.

    Whether they are those with the classification at the top or without is found out by trying. Raises UserError if
    there is no such network, if it takes no such images, or if the weights are not its own.
    """
    kinds = [kind for kind, value in vars(keras.applications).items() if kind[0].isupper() and callable(value)]
    kind = name.removeprefix(APPLICATIONS)
    if kind not in kinds:
        nearest = difflib.get_close_matches(kind, kinds, n=len(kinds), cutoff=0)
        raise UserError(f"network.model: {name} is none of {APPLICATIONS}{{{', '.join(nearest)}}}")
    if not weights:
        raise UserError(f"network.weights: {name} has learned nothing without a file of weights: give one")
    if Path(weights).suffix != ".h5":
        raise UserError(f"network.weights: {weights} is no .h5 file, as Keras' save_weights writes")
    try:
        check_weights(weights)
    except Exception as error:  # a file from outside can make its reader fail in any way
        raise UserError(f"network.weights: {weights} cannot be read: {what_is_wrong(error)}") from error
    problems = []
    for top in (True, False):
        try:
            model = getattr(keras.applications, kind)(weights=None, include_top=top, input_shape=(*size, 3))
        except ValueError as error:
            raise UserError(
                f"network.input: {name} takes no images of {by(size)} ({what_is_wrong(error)}): set network.input.size"
            ) from error
        try:
            model.load_weights(weights)
        except MemoryError:
            raise
        except Exception as error:  # as above
            problems.append(what_is_wrong(error))
            continue
        log.info("%s, %s the classification at the top", name, "with" if top else "without")
        return model
    raise UserError(
        f"network.weights: {weights} does not fit {name} for images of {by(size)}: with the classification at the top, "
        f"{problems[0]}; without it, {problems[1]}"
    )


def by(shape: Sequence[int | None]) -> str:
    """A shape in words, with "any" where it is free."""
    return " x ".join("any" if length is None else f"{length}" for length in shape)


def check_input(model: keras.Model, name: str, image_shape: Sequence[int], shape: Sequence[int]) -> None:
    """Raise UserError, which says what to set, if `model` does not take images that were brought to `shape`."""
    inputs = model.inputs if is_graph(model) else []
    if len(inputs) != 1 or len(inputs[0].shape) != 4:
        taken = " and ".join(by(tensor.shape[1:]) for tensor in inputs) or "no input of a stated shape"
        raise UserError(
            f"network.model: {name} takes {taken}, not images (height, width, channels); put layers before it that "
            "make it take them, as keras.layers.Reshape, and save that model"
        )
    taken = inputs[0].shape[1:]
    settings = {}
    if any(length not in (None, ours) for length, ours in zip(taken[:2], shape[:2], strict=True)):
        settings["size"] = [length or ours for length, ours in zip(taken[:2], shape[:2], strict=True)]
    if taken[2] not in (None, shape[2]):
        settings["channels"] = taken[2]
    if settings:
        made = "" if tuple(shape) == tuple(image_shape) else f", made {by(shape)} by network.input"
        raise UserError(
            f"network.input: {name} takes images of {by(taken)}, these are {by(image_shape)}{made}: set "
            + ", ".join(f"network.input.{key}: {value}" for key, value in settings.items())
        )


def values(channels: int, wanted: int, scaling: str) -> tuple[np.ndarray, np.ndarray]:
    """The map of an image's channels to those that a network takes: kernel (channels, wanted) and bias (wanted,).

    The image's values are in [0, 1). One channel is repeated, three become their luminance. `scaling` is unit (0 to 1),
    bytes (0 to 255; images are whole 256ths), or tf, torch or caffe, which make of these bytes what
    keras.applications.imagenet_utils has by those names. Raises UserError if there is no way.
    """
    if scaling in ("torch", "caffe") and wanted != 3:
        raise UserError(f"network.input.scaling: {scaling} is of three channels, not {wanted}: set channels: 3")
    if channels == wanted:
        kernel = np.eye(channels)
    elif channels == 1:
        kernel = np.ones((1, wanted))
    elif wanted == 1 and channels == 3:
        kernel = np.reshape(LUMINANCE, (3, 1))
    else:
        raise UserError(f"network.input.channels: images of {channels} channels cannot be made images of {wanted}")
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


def adopt_network(model: keras.Model, image_shape: Sequence[int], shape: Sequence[int], scaling: str) -> keras.Model:
    """The network that makes of images (n, *image_shape), in [0, 1), what `model` makes of them when they fit it.

    They are resized to the height and width of `shape` (bilinear, with antialiasing when made smaller), given as many
    channels, and scaled, as `values` says. The model's own layers keep their names and their nesting. Raises UserError
    if the images cannot be made to fit, or the model is no graph of layers.
    """
    used = {layer.name for layer in model.layers}

    def free(name: str) -> str:
        return free(f"{name}_") if name in used else name

    tensor = images = keras.Input(tuple(image_shape), name=free("images"))
    if tuple(shape[:2]) != tuple(image_shape[:2]):
        tensor = keras.layers.Resizing(*shape[:2], antialias=True, name=free("images_resized"))(tensor)
    kernel, bias = values(image_shape[2], shape[2], scaling)
    if not (np.array_equal(kernel, np.eye(shape[2])) and not bias.any()):
        scaled = keras.layers.Dense(shape[2], trainable=False, dtype="float32", name=free("images_scaled"))
        tensor = scaled(tensor)
        scaled.set_weights([kernel, bias])
    end = keras.layers.Identity(name=free("outputs"))  # what it is called with is the model's output
    last = calls(keras.Model(model.inputs, end(model.outputs)), [tensor])[-1]
    return keras.Model(images, last.arguments[0], name=model.name)


if __name__ == "__main__":
    with job(snakemake.log[0], "adopt_network"):
        use_devices(snakemake.threads)
        params = snakemake.params
        image_shape = load(snakemake.input.train_images).shape[1:]
        given = params.input
        shape = (*(given["size"] or image_shape[:2]), given["channels"] or image_shape[2])
        if snakemake.input.model:
            model = load_model(snakemake.input.model)
        else:
            model = load_application(params.model, snakemake.input.weights or None, shape[:2])
        check_input(model, params.model, image_shape, shape)
        network = adopt_network(model, image_shape, shape, given["scaling"])
        log.info("images of %s are given to it as %s, %s", by(image_shape), by(shape), given["scaling"])
        with whole(snakemake.output.network) as part:
            network.save(part)
        files = {name: snakemake.input[name] for name in ("model", "weights") if snakemake.input[name]}
        facts = {
            "parameters": model.count_params(),
            "input": shape,
            "scaling": given["scaling"],
            "sha256": {name: hashlib.sha256(Path(path).read_bytes()).hexdigest() for name, path in files.items()},
            "provenance": provenance(snakemake.wildcards.dataset, "tensorflow", "keras", "numpy"),
        }
        with whole(snakemake.output.facts) as part:
            part.write_text(json.dumps(facts, indent=2) + "\n")
