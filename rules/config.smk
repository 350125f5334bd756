# The configuration is checked before anything else: what is wrong is one line, with the key's path and the nearest right name.

import difflib
import math

import jsonschema
import yaml


def nearest(name, names):
    """A hint at what was meant."""
    close = difflib.get_close_matches(str(name), map(str, names), n=1)
    return f"; did you mean {close[0]}?" if close else f"; there is {', '.join(map(str, names))}"


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
    return f"{path}: {error.message}".lstrip(": ")


def check_palette(palette):
    """Raise WorkflowError unless matplotlib knows it. Where Snakemake has no matplotlib, the job of a figure will."""
    try:
        import matplotlib
    except ImportError:
        return
    if isinstance(palette, str):
        names = [*matplotlib.color_sequences, *matplotlib.colormaps]
        if palette not in names:
            hint = nearest(palette, names) if difflib.get_close_matches(palette, names) else ""
            raise WorkflowError(f"configuration: figures.palette: matplotlib has no color map {palette!r}{hint}")
    else:
        for number, color in enumerate(palette):
            if not matplotlib.colors.is_color_like(color):
                raise WorkflowError(f"configuration: figures.palette[{number}]: {color!r} is no color of matplotlib")


def is_number(_, value):
    """Finite, too, which YAML's .inf and .nan are not."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def check_configuration(config):
    """Raise WorkflowError, with one line, if there is something wrong with it."""
    with open(workflow.source_path("../config/schema.yaml")) as file:
        schema = yaml.safe_load(file)
    standard = jsonschema.Draft202012Validator
    checker = standard.TYPE_CHECKER.redefine("number", is_number)
    errors = jsonschema.validators.extend(standard, type_checker=checker)(schema).iter_errors(config)
    # a misspelt key first, since it may be why another is missing
    error = min(errors, key=lambda error: error.validator != "additionalProperties", default=None)
    if error:
        raise WorkflowError(f"configuration: {mistake(error)}")
    perplexity, rows = config["tsne"]["perplexity"], config["dataset"]["train_size"]
    if rows is not None and rows <= 30:
        raise WorkflowError(
            f"configuration: dataset.train_size: {rows} is too few; the scores need more than 30 images"
        )
    if rows is not None and rows <= 3 * perplexity:
        raise WorkflowError(
            f"configuration: tsne.perplexity: {perplexity} needs more than {3 * perplexity} images, "
            f"and dataset.train_size is {rows}; set it to less than {rows / 3:g}"
        )
    if config["figures"]["palette"] != "petroff10":  # the default, for which it would be a pity to load matplotlib
        check_palette(config["figures"]["palette"])


check_configuration(config)
