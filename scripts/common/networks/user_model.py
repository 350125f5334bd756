"""A model that a user's Python file builds."""

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import numpy as np

from common.errors import UserError, as_user_error
from common.networks.graph import explain_load_error, explain_output, make_inputs
from common.networks.keras_setup import keras

OUR_MODULES = {"common"}  # which scripts import, and a user's file must not get in place of one of the same name


def build_user_model(path: str | Path, images: np.ndarray, classes: int) -> keras.Model:
    """Return the model that build_network(image_shape, classes) in a Python file makes, checked with some `images`.

    Raises UserError, which names the file, unless the model maps such images to a probability for each class, is a
    graph of layers, and can be loaded without the file.
    """
    with (
        as_user_error(lambda reason: f"network.model: {path}: {reason}", explain_load_error),
        _restore_custom_objects(),
        _import_from(Path(path).resolve().parent),
    ):
        network = _call_build_network(_run_file(path), images.shape[1:], classes)
        make_inputs(network)
        if network.input_shape != (None, *images.shape[1:]):
            raise UserError(f"the network takes {network.input_shape}, the images are {(None, *images.shape[1:])}")
        problem = explain_output(network, images, classes)
        if problem:
            raise UserError(problem)
        config = network.to_json()
    with as_user_error(lambda reason: f"network.model: {path}: {reason}", explain_load_error):
        keras.models.model_from_json(config)
    return network


@contextmanager
def _restore_custom_objects() -> Iterator[None]:
    """Forget, after the block, what it registered with Keras, which the other scripts do not know."""
    registered, before = keras.saving.get_custom_objects(), dict(keras.saving.get_custom_objects())
    try:
        yield
    finally:
        registered.clear()
        registered.update(before)


def _run_file(path: str | Path) -> ModuleType:
    """Return the module in a Python file, which is run."""
    spec = importlib.util.spec_from_file_location("user_network", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def _import_from(folder: Path) -> Iterator[None]:
    """Let the block import the files in a folder, also those with the name of a module of this workflow.

    Nothing is written to the folder.
    """
    before, path, write = dict(sys.modules), list(sys.path), sys.dont_write_bytecode
    beside = {file.stem for file in folder.iterdir()}
    for name in [name for name in before if name.split(".")[0] in beside & OUR_MODULES]:
        del sys.modules[name]
    sys.path.insert(0, str(folder))
    sys.dont_write_bytecode = True
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.dont_write_bytecode, sys.path[:] = write, path
        for name in [name for name in sys.modules if name.split(".")[0] in beside and name not in before]:
            del sys.modules[name]
        sys.modules.update(before)


def _call_build_network(module: ModuleType, shape: tuple[int, ...], classes: int) -> keras.Model:
    """Return the built model of the module's function; raises UserError if there is none."""
    function = getattr(module, "build_network", None)
    if not callable(function):
        raise UserError("it has no function build_network(image_shape, classes)")
    network = function(shape, classes)
    if not isinstance(network, keras.Model):
        raise UserError(f"build_network returned {type(network).__name__}, not a keras.Model")
    if isinstance(network, keras.Sequential) and not network.built:
        network.build((None, *shape))
    return network
