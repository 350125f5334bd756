"""The settings of vectors: their files by split, and what does not fit together."""

from pathlib import Path

import pytest

from common.errors import UserError
from common.names import VECTOR_FILES


def test_vectors_are_the_layers(resolve):
    settings = resolve({"vectors": {"pca": "a.npy", "scvi": "~/b.npy"}, "labels": "~/y.txt"})
    assert [layer["name"] for layer in settings["layers"]] == ["pca", "scvi"]
    assert settings["source"] == {
        "train": {
            "vectors": {"pca": "a.npy", "scvi": str(Path.home() / "b.npy")},
            "labels": str(Path.home() / "y.txt"),
            "ids": None,
            "text": None,
            "images": None,
            "predictions": None,
            "checkpoints": None,
        }
    }


WITH_TEST = {
    **{"vectors": {"a": "a.npy", "b": "b.npy"}, "labels": "y.npy", "ids": "i", "images": "x", "predictions": "p.npy"},
    "text": "t",
    "checkpoints": {"0": {"b": "b0.npy"}},
    "test": {
        "vectors": {"b": "tb.npy", "a": "~/ta.npy"},
        "labels": "ty",
        "ids": "ti",
        "text": "tt",
        "images": "tx",
        "predictions": "tp",
        "checkpoints": {"0": {"b": "tb0.npy"}},
    },
}


def test_vectors_have_files_by_split(resolve):
    source = resolve(WITH_TEST)["source"]
    assert list(source) == ["train", "test"]
    assert source["train"] == {name: WITH_TEST[name] for name in VECTOR_FILES}
    expected = WITH_TEST["test"] | {"vectors": {"b": "tb.npy", "a": str(Path.home() / "ta.npy")}}
    assert source["test"] == expected


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vectors": {"a": "a"}}, "datasets.Mine.test.vectors: b is missing. Give a matrix for each layer."),
        (
            {"vectors": {"a": "a", "b": "b", "conv": "c"}},
            "datasets.Mine.test.vectors: datasets.Mine.vectors has no conv. Available: a, b.",
        ),
        (
            {"images": None},
            "datasets.Mine.test.images: test and training rows must both have images, or neither. Add the file.",
        ),
        (
            {"predictions": None},
            "datasets.Mine.test.predictions: test and training rows must both have predictions, or neither.",
        ),
        (
            {"checkpoints": None},
            "datasets.Mine.test.checkpoints: test and training rows must both have checkpoints, or neither.",
        ),
        (
            {"checkpoints": {"0": {"a": "a", "b": "b"}}},
            "datasets.Mine.checkpoints.0: a is missing. Give the same layers for all splits.",
        ),
        (
            {"checkpoints": {"0": {"b": "b", "conv": "c"}}},
            "datasets.Mine.test.checkpoints.0: datasets.Mine.vectors has no conv. Available: a, b.",
        ),
        ({"labels": "{x}"}, "datasets.Mine.test.labels: Snakemake reads braces as wildcards."),
    ],
)
def test_splits_of_vectors_must_have_the_same_files(resolve, change, message):
    test = {name: file for name, file in (WITH_TEST["test"] | change).items() if file}
    with pytest.raises(UserError) as error:
        resolve(WITH_TEST | {"test": test})
    assert f"{error.value}".startswith(message) and "\n" not in f"{error.value}"


def test_files_of_held_out_vectors_alone_are_refused(resolve):
    training = {name: file for name, file in WITH_TEST.items() if name != "labels"}
    with pytest.raises(UserError, match=r"^datasets\.Mine\.labels: test and training rows must both have labels, or"):
        resolve(training)
