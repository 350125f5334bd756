# The configuration is checked before anything else: what is wrong is one line, with the key's path and the nearest right name.

import copy
import difflib
import math
import os
import re
from pathlib import PurePosixPath

import jsonschema
import yaml
from snakemake.utils import update_config

KINDS = ("pickle", "idx", "npz", "npy", "folder", "digits", "vectors")
OWN = ("layers", "network", "tsne", "figures")  # what a data set may have in the place of the common values
DIGITS = {"classes": 10, "size": (8, 8)}  # scikit-learn's
COLOR_SCALINGS = ("torch", "caffe")
RESERVED = ("_test", "_embed")  # ends of files' names


def nearest(name, names):
    """A hint at what was meant."""
    by_lower = {str(known).lower(): known for known in names}
    close = difflib.get_close_matches(str(name).lower(), by_lower, n=1)
    return f"; did you mean {by_lower[close[0]]}?" if close else f"; there is {', '.join(map(str, names))}"


def refuse(message):
    """End with one line."""
    raise WorkflowError(f"configuration: {message}")


def mistake(error):
    """What a violation of the schema means to the one who wrote the configuration."""
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path).lstrip(".")
    value, wanted = error.instance, error.validator_value
    if error.validator == "additionalProperties":
        known = error.schema["properties"]
        unknown = next(key for key in value if key not in known)
        return f"{path}.{unknown}: there is no such key{nearest(unknown, known)}".lstrip(".")
    if error.validator == "enum":
        return f"{path}: {value!r} is not allowed{nearest(value, wanted)}"
    if error.validator in ("oneOf", "pattern"):
        return f"{path}: {value!r} is not what this is: {error.schema['description']}"
    if error.validator == "not":
        return f"{path}.{wanted['required'][0]}: this can only be said of all data sets together"
    return f"{path}: {error.message}".lstrip(": ")


def is_number(_, value):
    """Finite, too, which YAML's .inf and .nan are not."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


# The defaults, with the values in their place that were given: of a file where one stands, of --configfile, --config or
# a module.
with open(workflow.source_path("../config/config.yaml")) as file:
    DEFAULTS = yaml.safe_load(file)
update_config(DEFAULTS, config)
config.update(DEFAULTS)

with open(workflow.source_path("../config/schema.yaml")) as file:
    SCHEMA = yaml.safe_load(file)
CHECKER = jsonschema.Draft202012Validator.TYPE_CHECKER.redefine("number", is_number)
VALIDATOR = jsonschema.validators.extend(jsonschema.Draft202012Validator, type_checker=CHECKER)(SCHEMA)


def check_schema(config, prefix=""):
    """Raise WorkflowError if the configuration has a value that the schema does not allow."""
    # a misspelt key first, since it may be why another is missing
    key = lambda error: error.validator != "additionalProperties"
    error = min(VALIDATOR.iter_errors(config), key=key, default=None)
    if error:
        refuse(prefix + mistake(error))


def check_palette(palette, path):
    """Raise WorkflowError unless matplotlib knows it. Where Snakemake has no matplotlib, the job of a figure will."""
    try:
        import matplotlib
    except ImportError:
        return
    if isinstance(palette, str):
        names = [*matplotlib.color_sequences, *matplotlib.colormaps]
        if palette not in names:
            hint = nearest(palette, names) if difflib.get_close_matches(palette, names) else ""
            refuse(f"{path}: matplotlib has no color map {palette!r}{hint}")
    else:
        for number, color in enumerate(palette):
            if not matplotlib.colors.is_color_like(color):
                refuse(f"{path}[{number}]: {color!r} is no color of matplotlib")


def as_mapping(layer):
    """A layer as the configuration has it, with its name in the network, in the files, and its pooling."""
    said = {"layer": layer} if isinstance(layer, str) else layer
    return {"name": ".".join(PurePosixPath(said["layer"]).parts), "pool": None} | said


def located(value, path):
    """A path as the configuration has it, or several by name: ~ is a home. Not allowed is what Snakemake would fill in."""
    if isinstance(value, dict):
        return {name: located(place, f"{path}.{name}") for name, place in value.items()}
    if not isinstance(value, str):
        return value
    if set(value) & set("{}"):
        refuse(f"{path}: {value} has braces in it, which Snakemake would fill in; rename the file or folder")
    return os.path.expanduser(value)


def layers_of_notebook(network):
    """The names of the layers of the notebook's network, as wide as the configuration has it."""
    convolutions = [f"conv{number}" for number in range(1, 1 + len(network["filters"]))]
    first = 1 + len(convolutions)
    dense = [f"dense{number}" for number in range(first, first + len(network["units"]))]
    names = [f"{name}{part}" for name in convolutions for part in ("", "_filters", "_norm", "_relu")]
    return [
        "pixel",
        *names,
        "flat",
        *(f"{name}{part}" for name in dense for part in ("", "_weights", "_norm")),
        "softmax",
    ]


def settings_of(dataset):
    """What is so for a data set: its own description, and the common values with its own in their place."""
    own, path = config["datasets"][dataset], f"datasets.{dataset}"
    kinds = [kind for kind in KINDS if kind in own]
    if len(kinds) != 1:
        said = f"{' and '.join(kinds)} are too many" if kinds else "it does not say what it is"
        refuse(
            f"{path}: {said}; give one of {', '.join(KINDS)}"
            + ("" if not kinds else ", and another name to what differs")
        )
    changed = {key: copy.deepcopy(config[key]) for key in OWN}
    update_config(changed, {key: own[key] for key in OWN if key in own})
    check_schema(config | changed, f"{path}.")
    settings = {**changed, **{key: own.get(key) for key in ("size", "classes", "sample", "labels")}}
    settings |= {"kind": kinds[0], "source": located(own[kinds[0]], f"{path}.{kinds[0]}")}
    settings["labels"] = located(settings["labels"], f"{path}.labels")
    for key in ("model", "weights"):
        settings["network"][key] = located(settings["network"][key], f"{path}.network.{key}")
    model = settings["network"]["model"]
    settings["layers"] = [as_mapping(layer) for layer in settings["layers"]]

    if kinds[0] == "vectors":
        if "layers" in own or "network" in own:
            refuse(f"{path}: vectors are of no network, and are the layers; leave out layers and network")
        settings["layers"] = [as_mapping(layer) for layer in settings["source"]]
    elif "labels" in own:
        refuse(f"{path}.labels: this is of vectors only; npy has its own")
    if "size" in own and kinds[0] != "folder":
        refuse(f"{path}.size: this is of a folder only; network.input.size says what a model needs")
    names = [layer["name"] for layer in settings["layers"]]
    for name in names:
        if name == "layers" or name.endswith(RESERVED) or re.search("-(training|tsne)[0-9]+$", name):
            refuse(f"{path}.layers: {name} would be mistaken for another file; give {{layer: {name}, name: another}}")
        if not re.fullmatch(SCHEMA["$defs"]["file_name"]["pattern"], name):
            refuse(f"{path}.layers: {name} is no good part of a file's name; give {{layer: {name}, name: another}}")
        if names.count(name) > 1:
            refuse(f"{path}.layers: {name} is named twice; give one another name")
    shown = [] if kinds[0] == "vectors" else settings["layers"]
    network_layers = [layer["layer"] for layer in shown if layer["name"] != "pixel"]
    settings["trained"] = bool(network_layers) and (model is None or model.endswith(".py"))
    if model is None:
        known = layers_of_notebook(settings["network"])
        for layer in network_layers:
            if layer not in known:
                refuse(f"layers: the network has no {layer}{nearest(layer, known)} ({path})")
    if settings["trained"] and kinds[0] == "npy" and "labels" not in own["npy"]:
        refuse(f"{path}.npy: without labels no network can be trained; give them, or layers: [pixel]")
    if (model or "").startswith("keras.applications.") and not settings["network"]["weights"]:
        refuse(f"{path}: {model} needs network.weights, the file of its weights; random ones have learned nothing")

    rows, perplexity = settings["sample"], settings["tsne"]["perplexity"]
    if rows is not None and rows <= 30:
        refuse(f"{path}.sample: {rows} is too few; the scores need more than 30 images")
    if rows is not None and rows <= 3 * perplexity:
        refuse(
            f"tsne.perplexity: {perplexity} needs more than {3 * perplexity:g} images, "
            f"and {path}.sample is {rows}; set it to less than {rows / 3:g}"
        )
    landmarks = settings["tsne"]["landmarks"]
    if landmarks is not None and landmarks <= max(3 * perplexity, 30):
        said = f"{path}.tsne.landmarks" if "landmarks" in own.get("tsne", {}) else "tsne.landmarks"
        refuse(
            f"{said}: {landmarks} is too few; the scores need more than 30, perplexity {perplexity:g} more than {3 * perplexity:g}"
        )
    if settings["figures"]["palette"] != "auto":  # the default, for which it would be a pity to load matplotlib
        where = f"{path}.figures.palette" if "palette" in own.get("figures", {}) else "figures.palette"
        check_palette(settings["figures"]["palette"], where)
    return settings


if set(str(workflow.current_basedir)) & set("{}"):
    raise WorkflowError(
        f"{workflow.current_basedir} has braces in it, which Snakemake would fill in; rename the folder"
    )
check_schema(config)
for name in config["make"]:
    if name not in config["datasets"]:
        refuse(f"make: there is no data set {name}{nearest(name, config['datasets'])}")
SETTINGS = {name: settings_of(name) for name in config["datasets"]}
