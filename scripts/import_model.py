"""Import a trained model as it is, and transform the data set's images to its input."""

import hashlib
import logging
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from common.errors import UserError, as_user_error, format_shape
from common.files import atomic_write, save_json
from common.inputs import load_array
from common.logs import run_logged
from common.networks.applications import load_application
from common.networks.graph import explain_load_error, trace_calls
from common.networks.keras_setup import keras, use_devices
from common.networks.model_files import check_model, read_keras_version
from common.networks.model_input import channel_transform, choose_scaling, fit_input
from common.provenance import provenance

log = logging.getLogger("workflow")


def load_user_model(path: str | Path) -> keras.Model:
    """Return the model in a user's .keras file; raises UserError, which names it, if it cannot be loaded."""
    if not zipfile.is_zipfile(path) or Path(path).suffix != ".keras":
        kind = "a folder" if Path(path).is_dir() else "not a .keras file"
        raise UserError(
            f"network.model: {path} is {kind}. Load it with the Keras that wrote it, and save it with "
            f'model.save("{Path(path).stem}.keras").'
        )
    version = read_keras_version(path)
    if version.startswith(("1.", "2.")):
        stem = Path(path).stem
        raise UserError(
            f"network.model: {path} was written by Keras {version} (or tf_keras), and this is Keras "
            f'{keras.__version__}. There, save it with model.save("{stem}.h5"); then, with Keras 3, '
            f'keras.models.load_model("{stem}.h5", compile=False).save("{stem}.keras").'
        )
    writer = (
        f" (Keras {version} wrote it, this is {keras.__version__})" if version not in ("", keras.__version__) else ""
    )

    def message(reason: str) -> str:
        return f"network.model: {path} cannot be loaded{writer}: {reason}"

    with as_user_error(message, explain_load_error):
        check_model(path)
        return keras.models.load_model(path, compile=False)


def import_model(
    model: keras.Model, image_shape: Sequence[int], shape: Sequence[int], scaling: str, input_shape: Sequence[int]
) -> keras.Model:
    """Return the network that transforms images (n, *image_shape) in [0, 1) to the model's input, and applies it.

    Images are resized to the height and width of `shape` (bilinear, with antialiasing when smaller); their channels are
    transformed by `channel_transform`; then they get the `input_shape`, which fit_input returns. The model's layers
    keep their names and nesting. Raises UserError if there is no such transform, or the model is not a graph of layers.
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
    if tuple(input_shape) != tuple(shape):
        tensor = keras.layers.Reshape(input_shape, name=unused("images_reshaped"))(tensor)
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
        input_shape = fit_input(model, params.model, image_shape, shape)
        scaling = choose_scaling(settings["scaling"], params.model, model)
        network = import_model(model, image_shape, shape, scaling, input_shape)
        log.info("images of %s become %s, %s", format_shape(image_shape), format_shape(input_shape), scaling)
        with atomic_write(snakemake.output.network) as part:
            network.save(part)
        files = {name: paths[name] for name in ("model", "weights") if paths[name]}
        record = {
            "parameters": model.count_params(),
            "input": shape,
            "scaling": scaling,
            "sha256": {name: hashlib.sha256(Path(path).read_bytes()).hexdigest() for name, path in files.items()},
            "provenance": provenance(snakemake.wildcards.dataset, "tensorflow", "keras", "numpy"),
        }
        save_json(snakemake.output.record, record)
