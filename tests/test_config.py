"""The configuration: documented, checked, and refused by name when wrong."""

import math
import re

import pytest
import yaml
from train_network import build_network

from helpers import ROOT

CONFIG = yaml.safe_load((ROOT / "config/config.yaml").read_text())
SCHEMA = yaml.safe_load((ROOT / "config/schema.yaml").read_text())


def keys(config: dict, schema: dict, prefix: str = "") -> dict:
    """The configuration's keys, dotted, with their values; a mapping that the schema takes for a value is one."""
    found = {}
    for name, value in config.items():
        inner = schema["properties"][name]
        if "properties" in inner:
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
    ("changes", "line"),
    [
        ({"tsne": {"perplexty": 20}}, "tsne.perplexty: there is no such key; did you mean perplexity?"),
        ({"tnse": {"perplexity": 20}}, "tnse: there is no such key; did you mean tsne?"),
        ({"tsne": {"perplexity": "many"}}, "tsne.perplexity: 'many' is not of type 'number'"),
        ({"tsne": {"perplexity": math.nan}}, "tsne.perplexity: nan is not of type 'number'"),
        ({"tsne": {"backend": "opentnse"}}, "tsne.backend: 'opentnse' is not allowed; did you mean opentsne?"),
        ({"tsne": {"seeds": [3, -1]}}, "tsne.seeds[1]: -1 is less than the minimum of 0"),
        (
            {"datasets": {"Mine": {"npz": "x.npz", "sample": 40}}},
            "tsne.perplexity: 15 needs more than 45 images, and datasets.Mine.sample is 40; set it to less than 13.3",
        ),
        ({"tsne": {"landmarks": 0}}, "tsne.landmarks: 0 is less than the minimum of 1"),
        (
            {"tsne": {"landmarks": 45}},
            "tsne.landmarks: 45 is too few; the scores need more than 30, perplexity 15 more than 45",
        ),
        (
            {"datasets": {"Mine": {"npz": "x.npz", "tsne": {"perplexity": 5, "landmarks": 30}}}},
            "datasets.Mine.tsne.landmarks: 30 is too few; the scores need more than 30, perplexity 5 more than 15",
        ),
        ({"make": ["Mnist"]}, "make: there is no data set Mnist; did you mean MNIST?"),
        ({"datasets": {"a/b": {"npz": "x.npz"}}}, "datasets: 'a/b' is not what this is: Prefix of the figures' names"),
        ({"datasets": {"Mine": {"npy": {}}}}, "datasets.Mine.npy: 'images' is a required property"),
        ({"datasets": {"Mine": {"foldr": "x"}}}, "datasets.Mine.foldr: there is no such key; did you mean folder?"),
        ({"datasets": {"Mine": {"sample": 99}}}, "datasets.Mine: it does not say what it is; give one of pickle, idx,"),
        ({"datasets": {"Mine": {"idx": "x", "npz": "y"}}}, "datasets.Mine: idx and npz are too many; give one of"),
        (
            {"datasets": {"Mine": {"npz": "x.npz", "tsne": {"perplexty": 5}}}},
            "datasets.Mine.tsne.perplexty: there is no such key; did you mean perplexity?",
        ),
        (
            {"datasets": {"Mine": {"npz": "x.npz", "tsne": {"backend": "auto"}}}},
            "datasets.Mine.tsne.backend: this can only be said of all data sets together",
        ),
        (
            {"datasets": {"Mine": {"npz": "x.npz", "network": {"filters": [4, 0]}}}},
            "datasets.Mine.network.filters[1]: 0 is less than the minimum of 1",
        ),
        (
            {"datasets": {"Mine": {"npz": "x.npz", "network": {"filters": [20, 40, 80]}}}},
            "layers: the network has no dense3; did you mean dense4?",
        ),
        (
            {"datasets": {"Mine": {"npz": "a{b}.npz"}}},
            "datasets.Mine.npz: a{b}.npz has braces in it, which Snakemake would fill in; rename the file or folder",
        ),
        ({"datasets": {"Mine": {"npz": "x.npz", "size": [8, 8]}}}, "datasets.Mine.size: this is of a folder only"),
        ({"datasets": {"Mine": {"npz": "x.npz", "labels": "y"}}}, "datasets.Mine.labels: this is of vectors only"),
        (
            {"datasets": {"Mine": {"npy": {"images": "x.npy"}}}},
            "datasets.Mine.npy: without labels no network can be trained; give them, or layers: [pixel]",
        ),
        (
            {"datasets": {"Mine": {"vectors": {"a": "a.npy"}, "layers": ["pixel"]}}},
            "datasets.Mine: vectors are of no network, and are the layers; leave out layers and network",
        ),
        (
            {"datasets": {"Mine": {"vectors": {"a_test": "a.npy"}}}},
            "datasets.Mine.layers: a_test would be mistaken for another file",
        ),
        (
            {"datasets": {"Mine": {"npz": "x.npz", "network": {"model": "keras.applications.VGG16"}}}},
            "datasets.Mine: keras.applications.VGG16 needs network.weights",
        ),
        (
            {"network": {"model": "model.h5"}},
            "network.model: 'model.h5' is not what this is: null, a .py",
        ),
        (
            {"downloads": {"mnist": {"sources": [{"wheel": "x"}], "validation_size": 1, "sha256": {}}}},
            "downloads.mnist.sources[0]: {'wheel': 'x'} is not what this is: One of",
        ),
        (
            {"network": {"schedule": [{"epochs": 0, "batch_size": 64}]}},
            "network.schedule[0].epochs: 0 is less than the minimum of 1",
        ),
        (
            {"figures": {"scatter": {"style": "paper", "size": -1}}},
            "figures.scatter.size: -1 is less than or equal to the minimum of 0",
        ),
        (
            {"figures": {"palette": "virids"}},
            "figures.palette: matplotlib has no color map 'virids'; did you mean viridis?",
        ),
        ({"figures": {"palette": ["red", "gren"]}}, "figures.palette[1]: 'gren' is no color of matplotlib"),
        ({"layers": ["pixel", "conv9"]}, "layers: the network has no conv9; did you mean conv2?"),
        ({"layers": ["pixel", "pixel"]}, "layers: ['pixel', 'pixel'] has non-unique elements"),
        ({"layers": None}, "layers: None is not of type 'array'"),
    ],
)
def test_wrong_configuration_is_refused_in_one_line_before_anything_runs(fresh, tmp_path, changes, line):
    workflow = fresh.copy(tmp_path / "workflow")
    workflow.configure(**changes)
    result = workflow.run()
    assert result.returncode != 0
    lines = result.stderr.splitlines()
    assert [text for text in lines[-10:] if text.startswith(f"configuration: {line}")], result.stderr
    assert "Building DAG" not in result.stderr


def test_names_of_layers_that_are_allowed_are_those_that_the_network_has(fresh, tmp_path):
    workflow = fresh.copy(tmp_path / "workflow")
    workflow.configure(network={"filters": [2, 3, 4], "units": [5, 6], "kernel": 3}, layers=["zzz"])
    said = workflow.run().stderr
    allowed = re.search(r"the network has no zzz; there is (.*) \(datasets", said)[1].split(", ")
    network = build_network((8, 8, 1), 10, [2, 3, 4], 3, [5, 6])
    assert sorted(allowed) == sorted(layer.name for layer in network.layers)


def test_configuration_that_is_not_yaml_is_refused(fresh, tmp_path):
    workflow = fresh.copy(tmp_path / "workflow")
    (workflow.folder / "digits.yaml").write_text("tsne: {perplexity: 20")
    result = workflow.run()
    assert result.returncode != 0 and "Config file is not valid JSON or YAML" in result.stderr.splitlines()[-1]


def test_quick_configuration_is_allowed(workflow):
    result = workflow.run("--dry-run", "--configfile", "config/quick.yaml")
    assert result.returncode == 0, result.stderr
    assert "MNIST-quick_tSNE_pixel.eps" in result.stdout + result.stderr
