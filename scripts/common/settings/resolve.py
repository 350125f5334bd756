"""The settings of one data set: the global values, replaced by its own."""

import copy
import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from snakemake.utils import update_config

from common.errors import UserError, suggest
from common.names import SPLITS, VECTOR_FILES
from common.settings.checks import check_settings
from common.settings.schema import check_schema

REPLACEABLE = ("layers", "network", "tsne", "figures")  # global values that a data set may replace
OF_NETWORK = ("layers", "network", "figures")  # what a data set may replace that is like another one
OPTIONS = ("size", "white", "skip_damaged", "classes", "sample", "hold_out")  # of a data set only


def resolve_datasets(
    config: Mapping[str, Any], schema: Mapping[str, Any]
) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """Return the settings of each data set by name, and by name what is wrong with those that are not valid.

    Raises UserError if one is not valid that is in `make`.
    """
    settings, errors = {}, {}
    for name in config["datasets"]:
        try:
            settings[name] = resolve_dataset(name, config, schema)
        except UserError as error:
            if name in config["make"]:
                raise
            errors[name] = f"{error}"
    return settings, errors


def resolve_dataset(name: str, config: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a data set; raises UserError if they are not valid.

    Keys: `layers`, `network`, `tsne` and `figures`, `kind` and `source` (what the data set is, and where), the
    OPTIONS, `columns` (of labels in tables), `trained`, whether a network is trained, and `like`, the data set whose
    images and pixels it shares, or None. The source of vectors are the
    files of each split that is given, by the names VECTOR_FILES, None where there is none.
    """
    path = f"datasets.{name}"
    own, columns = take_columns(inherit(config["datasets"][name], config["datasets"], path))
    settings = merge_values(own, config)
    check_schema({**config, **settings}, schema, f"{path}.")
    kind = find_kind(own, schema, path)
    settings |= {key: own.get(key) for key in OPTIONS}
    is_vectors = kind == "vectors"
    source = list_vector_files(own, path) if is_vectors else expand_path(own[kind], f"{path}.{kind}")
    settings |= {"kind": kind, "columns": columns, "source": source, "like": own.get("like")}
    for key in ("model", "weights"):
        settings["network"][key] = expand_path(settings["network"][key], f"{path}.network.{key}")
    layers = source["train"]["vectors"] if is_vectors else settings["layers"]
    settings["layers"] = [describe_layer(layer) for layer in layers]
    settings["trained"] = needs_training(settings)
    check_settings(settings, own, path, schema)
    return settings


def inherit(own: Mapping[str, Any], datasets: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    """Return what a data set sets itself and, if it is `like` another one, what that one sets.

    Raises UserError if there is no such data set, it cannot be shared, or the data set sets more than its network.
    """
    if "like" not in own:
        return own
    base = own["like"]
    if base not in datasets:
        raise UserError(f"{path}.like: there is no data set {base}. {suggest(base, datasets)}")
    if "like" in datasets[base]:
        raise UserError(f"{path}.like: {base} is like {datasets[base]['like']} itself. Name {datasets[base]['like']}.")
    if "vectors" in datasets[base]:
        raise UserError(f"{path}.like: {base} has vectors, and no network of the workflow. Name a data set of images.")
    for key in own:
        if key not in ("like", *OF_NETWORK):
            raise UserError(f"{path}.{key}: images and pixels are those of {base}. Set this key there.")
    merged = copy.deepcopy(dict(datasets[base])) | {"like": base}
    update_config(merged, {key: own[key] for key in OF_NETWORK if key in own})
    return merged


def take_columns(own: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return a data set's own settings with each {file, column} replaced by the file, and the columns.

    These are by the keys, such as "labels" or, where they are nested, "npy.test_labels".
    """
    plain, columns = {}, {}
    for key, value in own.items():
        if isinstance(value, dict) and set(value) == {"file", "column"}:
            plain[key], columns[key] = value["file"], value["column"]
        elif isinstance(value, dict):
            plain[key], nested = take_columns(value)
            columns |= {f"{key}.{name}": column for name, column in nested.items()}
        else:
            plain[key] = value
    return plain, columns


def merge_values(own: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the global values, replaced by those of the data set."""
    values = {key: copy.deepcopy(config[key]) for key in REPLACEABLE}
    update_config(values, {key: own[key] for key in REPLACEABLE if key in own})
    return values


def find_kind(own: Mapping[str, Any], schema: Mapping[str, Any], path: str) -> str:
    """Return the one key that says what the data set is; raises UserError if there is none or more than one."""
    kinds = list_kinds(schema)
    found = [kind for kind in kinds if kind in own]
    if len(found) == 1:
        return found[0]
    problem = f"{' and '.join(found)} exclude each other" if found else "it does not say what it is"
    raise UserError(f"{path}: {problem}. Give one of {', '.join(kinds)}.")


def list_kinds(schema: Mapping[str, Any]) -> list[str]:
    """Return the kinds of data sets: the keys that the schema groups as `kinds`."""
    return schema["$defs"]["dataset"]["kinds"]


def list_vector_files(own: Mapping[str, Any], path: str) -> dict[str, dict[str, Any]]:
    """Return the files of vectors by split and by the names VECTOR_FILES; the training rows are in `own` itself."""
    keys = {"train": path} | {split: f"{path}.{split}" for split in SPLITS[1:] if split in own}
    return {
        split: {name: expand_path(own.get(split, own).get(name), f"{key}.{name}") for name in VECTOR_FILES}
        for split, key in keys.items()
    }


def needs_training(settings: Mapping[str, Any]) -> bool:
    """Return whether a network is trained: one that is built, for a layer other than the pixels."""
    layers = [] if settings["kind"] == "vectors" else settings["layers"]
    model = settings["network"]["model"]
    is_built = not model.endswith(".keras") and not model.startswith("keras.applications.")
    return is_built and any(layer["name"] != "pixel" for layer in layers)


def describe_layer(layer: str | Mapping[str, Any]) -> dict[str, Any]:
    """Return a layer's name in the network (`layer`), its name in files (`name`) and its `pool`."""
    given = {"layer": layer} if isinstance(layer, str) else layer
    return {"name": ".".join(PurePosixPath(given["layer"]).parts), "pool": None} | given


def expand_path(value: Any, key: str) -> Any:
    """Return a path, or several by name, with ~ as the home folder.

    Raises UserError if it has braces, in which Snakemake would put a wildcard.
    """
    if isinstance(value, dict):
        return {name: expand_path(path, f"{key}.{name}") for name, path in value.items()}
    if not isinstance(value, str):
        return value
    if set(value) & set("{}"):
        raise UserError(f"{key}: Snakemake reads braces as wildcards. Rename the file or folder {value}.")
    return str(Path(os.path.expanduser(value)))  # noqa: PTH111, pathlib fails for the home of an unknown user
