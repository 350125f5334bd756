"""The configuration as Snakemake loads it, without Snakemake."""

import copy

import pytest
import yaml

from common.settings import load_configuration, resolve_dataset, resolve_datasets
from helpers import ROOT

DEFAULTS = yaml.safe_load((ROOT / "config/config.yaml").read_text())
SCHEMA = yaml.safe_load((ROOT / "config/schema.yaml").read_text())


@pytest.fixture
def load():
    """Return a function that loads the configuration with some keys changed: load(tsne={"perplexity": 20})."""

    def load_changed(**changes):
        return load_configuration(changes, DEFAULTS, copy.deepcopy(SCHEMA))

    return load_changed


@pytest.fixture
def resolve_all():
    """Return a function that resolves all data sets: resolve_all(datasets={"Mine": {"npz": "x.npz"}})."""

    def resolve_changed(**changes):
        schema = copy.deepcopy(SCHEMA)
        return resolve_datasets(load_configuration(changes, DEFAULTS, schema), schema)

    return resolve_changed


@pytest.fixture
def resolve(load):
    """Return a function that resolves one data set: resolve({"npz": "x.npz"}, tsne={"perplexity": 20})."""

    def resolve_changed(dataset, **changes):
        schema = copy.deepcopy(SCHEMA)
        config = load_configuration({"datasets": {"Mine": dataset}, **changes}, DEFAULTS, schema)
        return resolve_dataset("Mine", config, schema)

    return resolve_changed
