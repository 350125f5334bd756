"""The configuration: documented, checked, and refused by name when wrong."""

import re

import pytest
import yaml

from helpers import ROOT

CONFIG = yaml.safe_load((ROOT / "config/config.yaml").read_text())
SCHEMA = yaml.safe_load((ROOT / "config/schema.yaml").read_text())


def keys(config: dict, schema: dict, prefix: str = "") -> dict:
    """The configuration's keys, dotted, with their values; a mapping that the schema takes for a value is one."""
    found = {}
    for name, value in config.items():
        inner = schema["properties"][name]
        if "properties" in inner and name != "sha256":
            assert set(value) == set(inner["properties"]) == set(inner["required"]), prefix + name
            found |= keys(value, inner, f"{prefix}{name}.")
        else:
            assert "description" in inner, prefix + name
            found[prefix + name] = value
    return found


def test_defaults_schema_and_documentation_agree():
    defaults = keys(CONFIG, SCHEMA)
    table = dict(re.findall(r"^\| `([a-z0-9_.]+)` \| (.*?) \|", (ROOT / "config/README.md").read_text(), re.M))
    assert list(table) == list(defaults)
    for key, documented in table.items():
        if documented.startswith("`"):
            assert yaml.safe_load(documented.strip("`")) == defaults[key], key


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"tsne": {"perplexty": 20}}, "'perplexty' was unexpected"),
        ({"tsne": {"perplexity": "many"}}, "['tsne']['perplexity']"),
        ({"network": {"schedule": [{"epochs": 0, "batch_size": 64}]}}, "['network']['schedule'][0]['epochs']"),
        ({"figures": {"scatter": {"style": "paper", "size": -1}}}, "['figures']['scatter']['size']"),
        ({"layers": ["pixel", "conv9"]}, "['layers'][1]"),
    ],
)
def test_wrong_configuration_is_refused_by_name_before_anything_runs(workflow, changes, named):
    workflow.configure(**changes)
    result = workflow.run("--dry-run")
    assert result.returncode != 0
    output = result.stdout + result.stderr
    assert named in output and "Building DAG" not in output


def test_quick_configuration_is_allowed(workflow):
    result = workflow.run("--dry-run", "--configfile", "config/quick.yaml")
    assert result.returncode == 0, result.stderr
    assert "MNIST-quick_tSNE_pixel.eps" in result.stdout + result.stderr
