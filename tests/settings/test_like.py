"""Data sets that are like another one: the same images, and a network of their own."""

import pytest

from common.errors import UserError
from common.settings.datasets import layer_names

SMALL = {"network": {"filters": [4], "units": [8]}, "layers": ["pixel", "dense2"]}
BASE = {"npz": "x.npz", "sample": 500, "network": {"kernel": 3, "schedule": [{"epochs": 2, "batch_size": 8}]}}


def resolve_like(resolve_all, own, **others):
    settings, _ = resolve_all(datasets={"Base": BASE, "Mine": own, **others}, make=["Mine"])
    return settings["Mine"], settings["Base"]


def test_images_and_what_is_not_replaced_are_those_of_the_other(resolve_all):
    mine, base = resolve_like(resolve_all, {"like": "Base", **SMALL})
    assert mine["like"] == "Base" and base["like"] is None
    for key in ("kind", "source", "columns", "sample", "classes", "tsne", "figures"):
        assert mine[key] == base[key]
    assert mine["network"] == base["network"] | {"filters": [4], "units": [8]} and mine["network"]["kernel"] == 3
    assert layer_names(mine) == ["pixel", "dense2"] and layer_names(base) == ["pixel", "conv1", "conv2", "dense3"]


@pytest.mark.parametrize(
    ("own", "others", "line"),
    [
        ({"like": "Bose"}, {}, "datasets.Mine.like: there is no data set Bose. Did you mean Base?"),
        ({"like": "Mine"}, {}, "datasets.Mine.like: Mine is like Mine itself. Name Mine."),
        (
            {"like": "Other"},
            {"Other": {"like": "Base"}},
            "datasets.Mine.like: Other is like Base itself. Name Base.",
        ),
        (
            {"like": "Other"},
            {"Other": {"vectors": {"a": "a.npy"}}},
            "datasets.Mine.like: Other has vectors, and no network of the workflow. Name a data set of images.",
        ),
        (
            {"like": "Base", "sample": 100},
            {},
            "datasets.Mine.sample: images and pixels are those of Base. Set this key there.",
        ),
        (
            {"like": "Base", "tsne": {"perplexity": 10}},
            {},
            "datasets.Mine.tsne: images and pixels are those of Base. Set this key there.",
        ),
    ],
)
def test_what_cannot_be_shared_is_refused_in_one_line(resolve_all, own, others, line):
    with pytest.raises(UserError) as error:
        resolve_like(resolve_all, own, **others)
    assert f"{error.value}" == line
