"""The comparisons of networks: data sets with the same images."""

from collections.abc import Mapping, Sequence
from typing import Any

from common.errors import UserError, suggest
from common.settings.datasets import is_vectors, networks


def check_comparisons(config: Mapping[str, Any]) -> None:
    """Raise UserError if a comparison has the name of a data set, or names one that does not exist."""
    for name, compared in config["comparisons"].items():
        if name in config["datasets"]:
            raise UserError(f"comparisons.{name}: a data set has this name. Choose another.")
        for dataset in compared:
            if dataset not in config["datasets"]:
                raise UserError(
                    f"comparisons.{name}: there is no data set {dataset}. {suggest(dataset, config['datasets'])}"
                )


def resolve_comparisons(
    config: Mapping[str, Any], settings: Mapping[str, Mapping[str, Any]], invalid: Mapping[str, str]
) -> tuple[dict[str, Sequence[str]], dict[str, str]]:
    """Return the data sets of each comparison, by name, and by name what is wrong with those that cannot be made.

    `settings` and `invalid` are those of resolve_datasets.
    """
    found, errors = {}, {}
    for name, compared in config["comparisons"].items():
        reasons = [invalid[dataset] for dataset in compared if dataset in invalid] or explain(name, compared, settings)
        if reasons:
            errors[name] = reasons[0]
        else:
            found[name] = compared
    return found, errors


def explain(name: str, compared: Sequence[str], settings: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return why data sets cannot be compared."""
    path, reasons = f"comparisons.{name}", []
    for dataset in compared:
        if is_vectors(settings[dataset]):
            reasons.append(f"{path}: {dataset} has vectors, and no network of the workflow. Remove it.")
        elif not networks(settings[dataset]):
            reasons.append(f"{path}: {dataset} has no layer of a network. Add one to its layers, or remove it.")
    first, *others = compared
    for dataset in others:
        bases = [settings[one]["like"] or one for one in (first, dataset)]
        if bases[0] != bases[1]:
            reasons.append(f"{path}: {first} and {dataset} have different images. Set like: {bases[0]} for {dataset}.")
    return reasons
