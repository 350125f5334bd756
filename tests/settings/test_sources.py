"""The files of a data set, and what is known of it before they are read."""

import pytest

from common.errors import UserError
from common.settings.sources import (
    check_palette_size,
    check_sources,
    find_idx_files,
    list_layer_sources,
    list_sources,
    list_vector_sources,
)

PARTS = ("train-images-idx3", "train-labels-idx1", "test-images-idx3", "test-labels-idx1")


@pytest.fixture
def emnist(tmp_path):
    """A folder with the files of two data sets."""
    for name in ("emnist-digits", "emnist-letters"):
        for part in PARTS:
            (tmp_path / f"{name}-{part}-ubyte.gz").touch()
        (tmp_path / f"{name}-mapping.txt").touch()
    return tmp_path


def test_idx_files_of_one_of_several_data_sets_are_found_by_their_prefix(emnist):
    files = find_idx_files(f"{emnist}/emnist-letters", named=False)
    expected = {part: f"{emnist}/emnist-letters-{part.replace('_', '-')}" for part in ("train_images", "test_labels")}
    assert {part: files[part] for part in expected} == {
        "train_images": f"{expected['train_images']}-idx3-ubyte.gz",
        "test_labels": f"{expected['test_labels']}-idx1-ubyte.gz",
    }
    assert files["mapping"] == f"{emnist}/emnist-letters-mapping.txt" and len(files) == 5
    assert "mapping" not in find_idx_files(f"{emnist}/emnist-letters", named=True)


def test_several_data_sets_in_a_folder_are_refused_with_their_names(emnist):
    with pytest.raises(UserError, match=r"has several data sets. Give one of .*emnist-digits-, .*emnist-letters-\.$"):
        find_idx_files(str(emnist), named=False)


@pytest.mark.parametrize("name", ["t10k-images.idx3-ubyte", "t10k-images-idx3-ubyte.gz", "test-images-idx3-ubyte"])
def test_usual_spellings_of_idx_files_are_known(tmp_path, name):
    (tmp_path / name).touch()
    assert find_idx_files(str(tmp_path), named=True)["test_images"] == str(tmp_path / name)


@pytest.mark.parametrize("separator", ["-", "."])
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_idx_files_in_folders_of_their_names_are_found(tmp_path, separator, suffix):
    """As Kaggle packs them: a folder with the name of the file, beside it or instead of it."""
    names = [f"{part.replace('test', 't10k')}-ubyte" for part in PARTS]
    for name in names:
        file = name.replace("-idx", f"{separator}idx") + suffix
        (tmp_path / name).mkdir()
        (tmp_path / name / file).touch()
    files = find_idx_files(str(tmp_path), named=True)
    assert files["train_images"] == f"{tmp_path}/{names[0]}/train-images{separator}idx3-ubyte{suffix}"
    assert files["test_labels"] == f"{tmp_path}/{names[3]}/t10k-labels{separator}idx1-ubyte{suffix}"
    beside = tmp_path / "train-images.idx3-ubyte"
    beside.touch()
    assert find_idx_files(str(tmp_path), named=True)["train_images"] == str(beside)


def test_missing_idx_files_are_named_as_they_are_usually_called(tmp_path):
    files = find_idx_files(f"{tmp_path}/nowhere", named=True)
    assert files["train_images"] == f"{tmp_path}/nowhere/train-images-idx3-ubyte.gz" and len(files) == 4


def test_folder_is_named_alone_whatever_is_in_it(resolve, tmp_path):
    (tmp_path / "{x}").mkdir()
    assert list_sources(resolve({"folder": str(tmp_path)})) == {"folder": str(tmp_path)}


def test_files_of_vectors_are_listed_by_split_and_name(resolve):
    held_out = {"vectors": {"b": "tb.npy", "a": "ta.npy"}, "labels": "ty.npy", "images": "tx.npy"}
    held_out |= {"checkpoints": {"0": {"b": "tb0.npy"}}}
    dataset = {"vectors": {"a": "a.npy", "b": "b.npy"}, "labels": "y.npy", "images": "digits"}
    settings = resolve(dataset | {"checkpoints": {"0": {"b": "b0.npy"}}, "test": held_out})
    assert list_vector_sources(settings, ("vectors", "checkpoints", "labels", "predictions")) == {
        **{"train_vectors": ["a.npy", "b.npy"], "train_labels": "y.npy", "train_checkpoints": ["b0.npy"]},
        **{"test_vectors": ["ta.npy", "tb.npy"], "test_labels": "ty.npy", "test_checkpoints": ["tb0.npy"]},
    }
    assert list_layer_sources(settings, "b", None) == {"train_vectors": "b.npy", "test_vectors": "tb.npy"}
    assert list_layer_sources(settings, "b", 0) == {"train_vectors": "b0.npy", "test_vectors": "tb0.npy"}


def test_other_kinds_are_read_from_the_files_that_they_name(resolve):
    assert list_sources(resolve({"digits": True})) == {}
    assert list_sources(resolve({"npz": "x.npz"})) == {"path": "x.npz"}
    npy = {"images": "x.npy", "labels": "y.npy"}
    assert list_sources(resolve({"npy": npy})) == npy
    assert list_sources(resolve({"idx": "nowhere", "classes": ["a"]}))["test_labels"].startswith("nowhere/t10k")


def test_names_of_the_classes_replace_those_of_emnist(resolve, emnist):
    dataset = {"idx": f"{emnist}/emnist-letters"}
    assert "mapping" in list_sources(resolve(dataset))
    assert "mapping" not in list_sources(resolve(dataset | {"classes": ["a"]}))


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        (
            {"digits": True, "classes": ["a", "b"]},
            "datasets.Mine.classes: 2 names for 10 classes. Give a name",
        ),
        (
            {"digits": True, "network": {"filters": [4] * 4}, "layers": ["conv1"]},
            "network.filters: 4 convolutions, each of which halves the images, need images of at least 16 x 16 pixels",
        ),
        (
            {"folder": "x", "size": [3, 50]},
            "network.filters: 2 convolutions, each of which halves the images, need images of at least 4 x 4 pixels",
        ),
        (
            {"npz": "x.npz", "network": {"model": "m.keras", "input": {"channels": 1, "scaling": "torch"}}},
            "network.input.scaling: torch needs three channels (datasets.Mine). Set network.input.channels: 3",
        ),
    ],
)
def test_data_that_cannot_fit_its_network_is_refused(resolve, dataset, message):
    with pytest.raises(UserError) as error:
        check_sources(resolve(dataset), "datasets.Mine")
    assert f"{error.value}".startswith(message)


@pytest.mark.parametrize(
    "dataset",
    [
        {"digits": True, "network": {"filters": [4] * 3}, "layers": ["conv1"]},
        {"folder": "x", "size": [4, 4]},
        {"folder": "x", "size": [3, 3], "layers": ["pixel"]},
        {"folder": "x", "size": [3, 3], "network": {"model": "m.py"}},
        {"npz": "x.npz", "sample": 512},
        {"npz": "x.npz", "sample": 500, "layers": ["pixel"]},
        {"npz": "x.npz", "network": {"model": "m.keras", "input": {"channels": 1, "scaling": "tf"}}},
        {"npz": "x.npz", "network": {"model": "m.keras", "input": {"channels": 3, "scaling": "torch"}}},
        {"digits": True, "classes": [str(number) for number in range(10)]},
    ],
)
def test_data_that_can_fit_its_network_is_accepted(resolve, dataset):
    check_sources(resolve(dataset), "datasets.Mine")


@pytest.mark.parametrize(
    ("palette", "count"), [(["red", "blue"], 2), ("tab10", 10), (["red"], 1)], ids=["list", "name", "one"]
)
def test_palette_has_a_color_for_each_class(resolve, palette, count):
    def settings(classes):
        names = [str(number) for number in range(classes)]
        return resolve({"npz": "x.npz", "classes": names, "figures": {"palette": palette}})

    assert check_palette_size(settings(count), "Mine") == palette
    with pytest.raises(
        UserError, match=rf"^figures\.palette: {count} colors for the {count + 1} classes of Mine\. Give"
    ):
        check_palette_size(settings(count + 1), "Mine")


def test_color_map_has_any_number_of_colors_and_unknown_classes_are_left_to_the_figures(resolve):
    names = [str(number) for number in range(500)]
    dataset = {"npz": "x.npz", "classes": names, "figures": {"palette": "viridis"}}
    assert check_palette_size(resolve(dataset), "Mine") == "viridis"
    assert check_palette_size(resolve({"npz": "x.npz", "figures": {"palette": ["red"]}}), "Mine") == ["red"]
    assert check_palette_size(resolve({"npz": "x.npz", "classes": names}), "Mine") == "auto"
