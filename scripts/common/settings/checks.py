"""Checks of a data set's settings that a schema cannot express."""

import difflib
import re
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from common.errors import UserError, suggest
from common.names import SPLITS, VECTOR_FILES
from common.networks.architectures import load_architecture
from common.scoring.parameters import MIN_ROWS
from common.settings.datasets import count_epochs, networks
from common.text import count_noun, join_words

# Ends of the names of files, which the name of a layer must not have.
RESERVED_ENDS = r"(_validation|_test|_joint|_knn|_embed|-(training|tsne|epoch)[0-9]+)$"
FOLDER_KEYS = {  # with what to do for data of other kinds
    "size": "Use network.input.size for a model's input",
    "white": "Scale the values of arrays to 0 to 255",
    "skip_damaged": "Remove it",
}
Settings = Mapping[str, Any]


def check_settings(settings: Settings, own: Settings, path: str, schema: Settings) -> None:
    """Raise UserError if the settings contradict each other; `own` is what the data set itself sets."""
    check_options(settings, own, path)
    if settings["kind"] == "vectors":
        check_vectors(settings["source"], path)
    check_layer_names(settings, path, schema["$defs"]["file_name"]["pattern"])
    check_network(settings, own, path)
    check_row_counts(settings, own, path)
    if settings["figures"]["palette"] != "auto":  # with the default, matplotlib need not be imported
        check_palette(settings["figures"]["palette"], own_key("figures", "palette", own, path))


def own_key(section: str, key: str, own: Settings, path: str) -> str:
    """Return the path of a key: that of the data set, if the data set sets it, else the global one."""
    return f"{path}.{section}.{key}" if key in own.get(section, {}) else f"{section}.{key}"


def check_options(settings: Settings, own: Settings, path: str) -> None:
    """Raise UserError if the data set has a key that does not belong to its kind."""
    if settings["kind"] == "vectors":
        if "layers" in own or "network" in own:
            raise UserError(f"{path}: vectors are layers themselves. Remove layers and network.")
        if "hold_out" in own:
            raise UserError(f"{path}.hold_out: this key is for images only. Remove it.")
    else:
        for key in (*VECTOR_FILES[1:], *SPLITS[1:]):
            if key in own:
                raise UserError(f"{path}.{key}: this key is for vectors only. Remove it, or give vectors.")
    if settings["kind"] != "folder":
        for key, remedy in FOLDER_KEYS.items():
            if key in own and (key == "skip_damaged" or "images" not in own):  # the images of vectors can be a folder
                raise UserError(f"{path}.{key}: this key is for a folder only. {remedy}.")


def check_vectors(source: Mapping[str, Settings], path: str) -> None:
    """Raise UserError unless all splits of vectors have the same layers and the same kinds of files."""
    layers = source["train"]["vectors"]
    for split, files in source.items():
        for name in VECTOR_FILES:
            if (files[name] is None) != (source["train"][name] is None):
                where = f"{path}.{split}.{name}" if files[name] is None else f"{path}.{name}"
                raise UserError(f"{where}: {split} and training rows must both have {name}, or neither. Add the file.")
        for layer in layers:
            if layer not in files["vectors"]:
                raise UserError(f"{path}.{split}.vectors: {layer} is missing. Give a matrix for each layer.")
        key = path if split == "train" else f"{path}.{split}"
        before = files["checkpoints"] or {}
        for name, matrices in {"vectors": files["vectors"], **{f"checkpoints.{e}": before[e] for e in before}}.items():
            for layer in matrices:
                if layer not in layers:
                    raise UserError(f"{key}.{name}: {path}.vectors has no {layer}. {suggest(layer, layers)}")
        for epoch, matrices in (source["train"]["checkpoints"] or {}).items():
            for layer in sorted(set(matrices) ^ set(before.get(epoch, {}))):
                where = f"{key}.checkpoints.{epoch}" if layer in matrices else f"{path}.checkpoints.{epoch}"
                raise UserError(f"{where}: {layer} is missing. Give the same layers for all splits.")
    if source["train"]["predictions"] and not source["train"]["labels"]:
        raise UserError(f"{path}.predictions: predictions are compared with labels. Give labels, too.")


def check_layer_names(settings: Settings, path: str, pattern: str) -> None:
    """Raise UserError if a layer's name cannot be part of file names."""
    names = [layer["name"] for layer in settings["layers"]]
    for name in names:
        remedy = f"Give {{layer: {name}, name: another}}."
        if name == "layers" or name.startswith("training_") or re.search(RESERVED_ENDS, name):
            raise UserError(f"{path}.layers: the name {name} is reserved for other files. {remedy}")
        if not re.fullmatch(pattern, name):
            raise UserError(f"{path}.layers: {name} cannot be part of a file name. {remedy}")
        if names.count(name) > 1:
            raise UserError(f"{path}.layers: {name} is there twice. Give one of them another name.")


def check_network(settings: Settings, own: Settings, path: str) -> None:
    """Raise UserError if the network lacks a layer, an epoch, labels or weights."""
    network, model = settings["network"], settings["network"]["model"]
    check_model_name(model, own_key("network", "model", own, path))
    if settings["trained"] and not model.endswith(".py"):
        try:
            known = load_architecture(model).layer_names(network)
        except ModuleNotFoundError as error:
            if not error.name.startswith("common.networks.architectures."):  # of what the architecture imports
                raise
            raise UserError(
                f"network.model: there is no built-in architecture {model} ({path}). "
                "Give a .py file, a .keras file, keras.applications.NAME, or notebook."
            ) from None
        for layer in settings["layers"]:
            if layer["layer"] not in known:
                name = layer["layer"]
                raise UserError(f"layers: the network has no {name} ({path}). {suggest(name, known)}")
    check_checkpoints(settings, own, path)
    if settings["trained"] and settings["kind"] == "npy" and "labels" not in own["npy"]:
        raise UserError(f"{path}.npy: a network cannot be trained without labels. Give labels, or set layers: [pixel].")
    if model.startswith("keras.applications.") and not network["weights"]:
        raise UserError(f"{path}: {model} needs network.weights, a file; random weights have learned nothing.")


def check_checkpoints(settings: Settings, own: Settings, path: str) -> None:
    """Raise UserError if an epoch is not one before the last of the training."""
    key, epochs = own_key("network", "checkpoints", own, path), settings["network"]["checkpoints"]
    if settings["trained"]:
        last = count_epochs(settings)
        beyond = [epoch for epoch in epochs if epoch >= last]
        if beyond:
            raise UserError(
                f"{key}: {path} is trained for {count_noun(last, 'epoch')}, and the last one is always mapped. "
                f"Remove {join_words(beyond)}."
            )
    elif networks(settings) and any(epochs):
        raise UserError(
            f"{key}: {path} uses a model as it is, without epochs. Set network.checkpoints: [0] for this data set."
        )


def check_model_name(model: str, key: str) -> None:
    """Raise UserError, which says how to use a model of another format, if `model` can be none of those supported."""
    if re.fullmatch(r"[a-z]\w*|.+[.]py|.+[.]keras|keras[.]applications[.]\w+", model):
        return
    convert = ""
    if model.endswith((".h5", ".hdf5")):
        convert = f'keras.models.load_model("{model}", compile=False).save("{PurePath(model).stem}.keras")'
        convert = f"Convert a model of Keras by {convert}. Of another library: "
    raise UserError(
        f"{key}: {model} is not a .keras file, a .py file, keras.applications.NAME or a built-in network. {convert}"
        "Export its features and use vectors (docs/your-own.md)."
    )


def check_row_counts(settings: Settings, own: Settings, path: str) -> None:
    """Raise UserError if there are too few rows for the scores, or too few landmarks for t-SNE."""
    sample, perplexity, landmarks = settings["sample"], settings["tsne"]["perplexity"], settings["tsne"]["landmarks"]
    needed = max(3 * perplexity, MIN_ROWS - 1)
    if sample is not None and sample < MIN_ROWS:
        raise UserError(f"{path}.sample: {sample} is too few. The scores need at least {MIN_ROWS} images.")
    if landmarks is not None and landmarks <= needed:
        key = own_key("tsne", "landmarks", own, path)
        raise UserError(
            f"{key}: {landmarks} is too few. Perplexity {perplexity:g} and the scores need more than {needed:g}."
        )


def check_palette(palette: str | Sequence[str], key: str) -> None:
    """Raise UserError if matplotlib does not know the palette. Without matplotlib here, the figure's job checks it."""
    try:
        import matplotlib
    except ImportError:
        return
    if isinstance(palette, str):
        names = [*matplotlib.color_sequences, *matplotlib.colormaps]
        if palette not in names:
            hint = f" {suggest(palette, names)}" if difflib.get_close_matches(palette, names) else ""
            raise UserError(f"{key}: matplotlib has no color map {palette!r}.{hint}")
        return
    for number, color in enumerate(palette):
        if not matplotlib.colors.is_color_like(color):
            raise UserError(f"{key}[{number}]: matplotlib does not know the color {color!r}.")
