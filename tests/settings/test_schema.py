"""The schema: what it refuses, and in which words."""

import math

import pytest

from common.errors import UserError


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tsne": {"perplexty": 20}}, "tsne.perplexty: there is no such key. Did you mean perplexity?"),
        ({"tnse": {"perplexity": 20}}, "tnse: there is no such key. Did you mean tsne?"),
        ({"tsne": {"perplexity": "many"}}, "tsne.perplexity: 'many' is not of type 'number'"),
        ({"tsne": {"perplexity": math.nan}}, "tsne.perplexity: nan is not of type 'number'"),
        ({"tsne": {"perplexity": math.inf}}, "tsne.perplexity: inf is not of type 'number'"),
        ({"tsne": {"perplexity": True}}, "tsne.perplexity: True is not of type 'number'"),
        ({"tsne": {"backend": "opentnse"}}, "tsne.backend: 'opentnse' is not allowed. Did you mean opentsne?"),
        ({"tsne": {"backend": "zzz"}}, "tsne.backend: 'zzz' is not allowed. Available: auto, tsnecuda, opentsne."),
        ({"tsne": {"start": "PCA"}}, "tsne.start: 'PCA' is not allowed. Did you mean pca?"),
        ({"figures": {"errors": "perhaps"}}, "figures.errors: 'perhaps' is not of type 'boolean'"),
        ({"figures": {"scatter": {"errors": True}}}, "figures.scatter.errors: there is no such key."),
        ({"tsne": {"seeds": [3, -1]}}, "tsne.seeds[1]: -1 is less than the minimum of 0"),
        ({"tsne": {"seeds": [3, 3]}}, "tsne.seeds: [3, 3] has non-unique elements"),
        ({"tsne": {"landmarks": 0}}, "tsne.landmarks: 0 is less than the minimum of 1"),
        ({"make": ["Mnist"]}, "make: there is no data set Mnist. Did you mean MNIST?"),
        ({"datasets": {"a/b": {"npz": "x.npz"}}}, "datasets: 'a/b' is not valid. Expected: a name of letters, digits"),
        ({"datasets": {"Mine": {"npy": {}}}}, "datasets.Mine.npy: 'images' is a required property"),
        ({"datasets": {"Mine": {"foldr": "x"}}}, "datasets.Mine.foldr: there is no such key. Did you mean folder?"),
        (
            {"datasets": {"Mine": {"npz": "x.npz", "tsne": {"backend": "auto"}}}},
            "datasets.Mine.tsne.backend: this key can only be set globally.",
        ),
        ({"network": {"class_order": "folder"}}, "network.class_order: 'folder' is not valid. Expected: Order of the"),
        ({"network": {"input": {"scaling": "byte"}}}, "network.input.scaling: 'byte' is not allowed. Did you mean byt"),
        ({"datasets": {"Mine": {"npz": "x", "hold_out": 0}}}, "datasets.Mine.hold_out: 0 is less than or equal to"),
        (
            {"downloads": {"mnist": {"sources": [{"wheel": "x"}], "validation_size": 1, "sha256": {}}}},
            "downloads.mnist.sources[0]: {'wheel': 'x'} is not valid. Expected: idx, pickle, or wheel with project",
        ),
        (
            {"network": {"schedule": [{"epochs": 0, "batch_size": 64}]}},
            "network.schedule[0].epochs: 0 is less than the minimum of 1",
        ),
        (
            {"figures": {"scatter": {"size": -1}}},
            "figures.scatter.size: -1 is less than or equal to the minimum of 0",
        ),
        ({"memory_mb": 49}, "memory_mb: 49 is less than the minimum of 50"),
        ({"layers": ["pixel", "pixel"]}, "layers: ['pixel', 'pixel'] has non-unique elements"),
        ({"layers": None}, "layers: None is not of type 'array'"),
        ({"layers": [{"name": "x"}]}, "layers[0]: {'name': 'x'} is not valid. Expected: the name of a layer, or"),
    ],
)
def test_invalid_value_is_named_with_what_is_valid(load, changes, message):
    with pytest.raises(UserError) as error:
        load(**changes)
    assert f"{error.value}".startswith(message)


def test_misspelled_key_is_named_before_the_key_that_is_then_missing(load):
    with pytest.raises(UserError, match=r"^tsne\.perplexty: there is no such key"):
        load(tsne={"perplexty": 20, "iterations": None})


def test_order_of_the_classes_is_a_word_or_a_list(load):
    for order in (None, "folders", ["b", "a"]):
        assert load(network={"class_order": order})["network"]["class_order"] == order
    assert load(network={"class_order": [1, 0]})["network"]["class_order"] == ["1", "0"]


def test_given_values_replace_defaults_and_nothing_else(load):
    config = load(tsne={"perplexity": 20}, datasets={"Mine": {"npz": "x.npz"}})
    assert config["tsne"]["perplexity"] == 20 and config["tsne"]["iterations"] == 200
    assert set(config["datasets"]) == {"MNIST", "FashionMNIST", "Digits", "Mine"}


def test_key_that_was_added_may_be_left_out(load):
    assert load(tsne={"perplexity": 20})["tsne"]["start"] == "reference"
    assert load(figures={"scatter": {"size": 5}})["figures"]["errors"] is False


def test_defaults_are_valid_and_stay_as_they_are(load):
    assert load()["tsne"]["perplexity"] == 30
    load(tsne={"perplexity": 7})
    assert load()["tsne"]["perplexity"] == 30
