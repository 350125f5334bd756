"""The configuration of the workflow: defaults, replaced by what the user sets."""

import copy
from collections.abc import Mapping
from typing import Any

from snakemake.utils import update_config

from common.errors import UserError, suggest
from common.settings.comparisons import check_comparisons
from common.settings.schema import check_schema, convert_scalars
from common.tsne.backends import AUTO, BACKENDS


def load_configuration(given: Mapping[str, Any], defaults: Mapping[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Return the defaults with the given values in their place; raises UserError if the result is not valid.

    Names that YAML reads as integers become text. The schema is completed: it gets the names of the t-SNE backends.
    """
    schema["properties"]["tsne"]["properties"]["backend"]["enum"] = [AUTO, *BACKENDS]
    config = copy.deepcopy(dict(defaults))
    update_config(config, convert_scalars(given, schema))
    check_schema(config, schema)
    for name in config["make"]:
        if name not in config["datasets"]:
            raise UserError(f"make: there is no data set {name}. {suggest(name, config['datasets'])}")
    check_comparisons(config)
    return config
