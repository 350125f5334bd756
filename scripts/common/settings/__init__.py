"""The configuration: loaded, checked against the schema, and resolved for each data set.

    config = load_configuration(given, defaults, schema)
    settings, errors = resolve_datasets(config, schema)
    comparisons, more_errors = resolve_comparisons(config, settings, errors)

Snakemake reads it with its own Python, so the package imports no library of the scripts. Errors are UserErrors.
"""

from common.settings.comparisons import resolve_comparisons
from common.settings.load import load_configuration
from common.settings.resolve import resolve_dataset, resolve_datasets

__all__ = ["load_configuration", "resolve_comparisons", "resolve_dataset", "resolve_datasets"]
