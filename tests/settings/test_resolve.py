"""The settings of a data set: what they contain, and which contradictions are refused."""

from pathlib import Path

import pytest

from common.errors import UserError

NPZ = {"npz": "x.npz"}
FORMATS = "is not a .keras file, a .py file, keras.applications.NAME or a built-in network."
EXPORT = "Export its features and use vectors (docs/your-own.md)."
CONVERT = 'Convert a model of Keras by keras.models.load_model("a/m.h5", compile=False).save("m.keras").'


@pytest.mark.parametrize(
    ("dataset", "changes", "message"),
    [
        ({"sample": 99}, {}, "datasets.Mine: it does not say what it is. Give one of pickle, idx,"),
        ({"idx": "x", "npz": "y"}, {}, "datasets.Mine: idx and npz exclude each other. Give one of"),
        (
            NPZ | {"tsne": {"perplexty": 5}},
            {},
            "datasets.Mine.tsne.perplexty: there is no such key. Did you mean perplexity?",
        ),
        (
            NPZ | {"network": {"filters": [4, 0]}},
            {},
            "datasets.Mine.network.filters[1]: 0 is less than the minimum of 1",
        ),
        (
            NPZ | {"sample": 30, "tsne": {"perplexity": 2}},
            {},
            "datasets.Mine.sample: 30 is too few. The scores need at least 31 images.",
        ),
        (
            NPZ,
            {"tsne": {"landmarks": 90}},
            "tsne.landmarks: 90 is too few. Perplexity 30 and the scores need more than 90",
        ),
        (
            NPZ | {"tsne": {"perplexity": 5, "landmarks": 30}},
            {},
            "datasets.Mine.tsne.landmarks: 30 is too few. Perplexity 5 and the scores need more than 30",
        ),
        (
            NPZ | {"network": {"filters": [20, 40, 80]}},
            {},
            "layers: the network has no dense3 (datasets.Mine). Did you mean dense4?",
        ),
        (NPZ | {"layers": ["pixel", "conv9"]}, {}, "layers: the network has no conv9 (datasets.Mine). Did you mean"),
        ({"npz": "a{b}.npz"}, {}, "datasets.Mine.npz: Snakemake reads braces as wildcards. Rename the file or folder"),
        ({"npy": {"images": "{a}.npy"}}, {}, "datasets.Mine.npy.images: Snakemake reads braces as wildcards."),
        (NPZ | {"network": {"model": "{a}.py"}}, {}, "datasets.Mine.network.model: Snakemake reads braces"),
        (NPZ, {"network": {"model": "model.pt"}}, f"network.model: model.pt {FORMATS} {EXPORT}"),
        (
            NPZ | {"network": {"model": "~/m.onnx"}},
            {},
            f"datasets.Mine.network.model: {Path.home()}/m.onnx {FORMATS} {EXPORT}",
        ),
        (
            NPZ,
            {"network": {"model": "a/m.h5"}},
            f"network.model: a/m.h5 {FORMATS} {CONVERT} Of another library: {EXPORT}",
        ),
        (
            NPZ,
            {"network": {"model": "torchvision.models.resnet18"}},
            "network.model: torchvision.models.resnet18 is not",
        ),
        (NPZ, {"network": {"model": "notebok"}}, "network.model: there is no built-in architecture notebok"),
        ({"vectors": {"a": "a.npy"}, "hold_out": 0.1}, {}, "datasets.Mine.hold_out: this key is for images only."),
        (NPZ | {"size": [8, 8]}, {}, "datasets.Mine.size: this key is for a folder only."),
        (NPZ | {"white": 4095}, {}, "datasets.Mine.white: this key is for a folder only. Scale the values of arrays"),
        (NPZ | {"skip_damaged": True}, {}, "datasets.Mine.skip_damaged: this key is for a folder only. Remove it."),
        (NPZ | {"ids": "a.txt"}, {}, "datasets.Mine.ids: this key is for vectors only."),
        ({"folder": "x", "white": 0}, {}, "datasets.Mine.white: 0 is less than or equal to the minimum of 0"),
        (NPZ | {"labels": "y"}, {}, "datasets.Mine.labels: this key is for vectors only."),
        (NPZ | {"predictions": "y"}, {}, "datasets.Mine.predictions: this key is for vectors only."),
        (NPZ | {"test": {"vectors": {"a": "a"}}}, {}, "datasets.Mine.test: this key is for vectors only."),
        ({"vectors": {"a": "a.npy"}, "size": [8, 8]}, {}, "datasets.Mine.size: this key is for a folder only."),
        ({"vectors": {"a": "a.npy"}, "test": {"labels": "y"}}, {}, "datasets.Mine.test: 'vectors' is a required"),
        (
            {"vectors": {"a": "a.npy"}, "predictions": "p.npy"},
            {},
            "datasets.Mine.predictions: predictions are compared with labels. Give labels, too.",
        ),
        (
            {"npy": {"images": "x.npy"}},
            {},
            "datasets.Mine.npy: a network cannot be trained without labels. Give labels, or set layers: [pixel].",
        ),
        (
            {"vectors": {"a": "a.npy"}, "layers": ["pixel"]},
            {},
            "datasets.Mine: vectors are layers themselves. Remove layers and network.",
        ),
        ({"vectors": {"a": "a.npy"}, "network": {}}, {}, "datasets.Mine: vectors are layers themselves."),
        (
            NPZ,
            {"network": {"checkpoints": [0, 5, 12, 40]}},
            "network.checkpoints: datasets.Mine is trained for 12 epochs, and the last one is always mapped. "
            "Remove 12 and 40.",
        ),
        (NPZ, {"network": {"checkpoints": [0, -1]}}, "network.checkpoints[1]: -1 is less than"),
        (NPZ, {"network": {"checkpoints": [2, 2]}}, "network.checkpoints: [2, 2] has non-unique"),
        (
            NPZ | {"network": {"model": "m.keras", "checkpoints": [0, 2]}},
            {},
            "datasets.Mine.network.checkpoints: datasets.Mine uses a model as it is, without epochs. "
            "Set network.checkpoints: [0]",
        ),
        ({"vectors": {"a-tsne5": "a.npy"}}, {}, "datasets.Mine.layers: the name a-tsne5 is reserved for other files."),
        ({"vectors": {"a-epoch0": "a.npy"}}, {}, "datasets.Mine.layers: the name a-epoch0 is reserved for other"),
        (
            {"vectors": {"a": "a.npy"}, "checkpoints": {"1": {"a": "b.npy"}}},
            {},
            "datasets.Mine.checkpoints.1: there is no such key.",
        ),
        ({"vectors": {"layers": "a.npy"}}, {}, "datasets.Mine.layers: the name layers is reserved for other files."),
        ({"vectors": {"training_a": "a.npy"}}, {}, "datasets.Mine.layers: the name training_a is reserved for other"),
        (
            NPZ | {"layers": [{"layer": "conv1", "name": "x"}, {"layer": "conv2", "name": "x"}]},
            {},
            "datasets.Mine.layers: x is there twice. Give one of them another name.",
        ),
        (
            NPZ | {"network": {"model": "m.keras"}, "layers": ["a b"]},
            {},
            "datasets.Mine.layers: a b cannot be part of a file name. Give {layer: a b, name: another}.",
        ),
        (
            NPZ | {"network": {"model": "keras.applications.VGG16"}},
            {},
            "datasets.Mine: keras.applications.VGG16 needs network.weights",
        ),
        (NPZ | {"network": {"model": "lenet"}}, {}, "network.model: there is no built-in architecture lenet"),
        (
            NPZ,
            {"figures": {"palette": "virids"}},
            "figures.palette: matplotlib has no color map 'virids'. Did you mean viridis?",
        ),
        (NPZ, {"figures": {"palette": "qqqqqq"}}, "figures.palette: matplotlib has no color map 'qqqqqq'."),
        (
            NPZ | {"figures": {"palette": ["red", "gren"]}},
            {},
            "datasets.Mine.figures.palette[1]: matplotlib does not know the color 'gren'.",
        ),
    ],
)
def test_contradiction_is_refused_in_one_line(resolve, dataset, changes, message):
    with pytest.raises(UserError) as error:
        resolve(dataset, **changes)
    assert f"{error.value}".startswith(message) and "\n" not in f"{error.value}"


@pytest.mark.parametrize("name", ["a_test", "a_validation", "a_joint", "a_knn", "a_embed", "a-training5", "a-tsne12"])
def test_name_of_a_layer_that_would_be_that_of_another_file_is_refused(resolve, name):
    with pytest.raises(UserError, match=f"^datasets.Mine.layers: the name {name} is reserved for other files"):
        resolve({"vectors": {name: "a.npy"}})


@pytest.mark.parametrize("name", ["a_tests", "test", "validation", "joint_a", "knn", "a-tsne", "a-training"])
def test_name_of_a_layer_may_have_a_part_of_that_of_another_file(resolve, name):
    assert [layer["name"] for layer in resolve({"vectors": {name: "a.npy"}})["layers"]] == [name]


def test_values_of_a_data_set_replace_global_ones_for_it_alone(resolve):
    settings = resolve(NPZ | {"tsne": {"perplexity": 5}}, tsne={"iterations": 100})
    assert settings["tsne"]["perplexity"] == 5 and settings["tsne"]["iterations"] == 100
    assert resolve(NPZ)["tsne"]["perplexity"] == 30


def test_settings_say_what_the_data_set_is(resolve):
    settings = resolve({"folder": "images", "size": [8, 9], "classes": ["a", "b"], "sample": 200})
    assert settings["kind"] == "folder" and settings["source"] == "images" and settings["size"] == [8, 9]
    assert settings["classes"] == ["a", "b"] and settings["sample"] == 200


def test_home_folder_is_expanded(resolve):
    settings = resolve({"npy": {"images": "~/x.npy"}, "network": {"model": "~/m.py"}, "layers": ["pixel"]})
    assert settings["source"] == {"images": str(Path.home() / "x.npy")}
    assert settings["network"]["model"] == str(Path.home() / "m.py")


def test_layers_have_names_for_files(resolve):
    model = {"network": {"model": "m.keras"}}
    layers = ["pixel", "block5/conv3", {"layer": "block5/pool", "name": "pool5", "pool": "average"}]
    assert resolve(NPZ | model | {"layers": layers})["layers"] == [
        {"layer": "pixel", "name": "pixel", "pool": None},
        {"layer": "block5/conv3", "name": "block5.conv3", "pool": None},
        {"layer": "block5/pool", "name": "pool5", "pool": "average"},
    ]


@pytest.mark.parametrize(
    ("dataset", "trained"),
    [
        (NPZ, True),
        (NPZ | {"layers": ["pixel"]}, False),
        (NPZ | {"network": {"model": "m.py"}, "layers": ["pixel", "a"]}, True),
        (NPZ | {"network": {"model": "m.keras"}, "layers": ["pixel", "a"]}, False),
        (NPZ | {"network": {"model": "keras.applications.VGG16", "weights": "w.h5"}}, False),
        ({"vectors": {"a": "a.npy"}}, False),
    ],
)
def test_network_is_trained_if_it_is_built_and_a_layer_needs_it(resolve, dataset, trained):
    assert resolve(dataset)["trained"] is trained


def test_layer_of_the_network_may_have_another_name(resolve):
    assert resolve(NPZ | {"layers": [{"layer": "conv1", "name": "first"}]})["layers"][0]["name"] == "first"
    assert resolve(NPZ | {"sample": 31, "hold_out": 0.2})["sample"] == 31
    assert resolve(NPZ | {"hold_out": 0.2})["hold_out"] == 0.2 and resolve(NPZ)["hold_out"] is None
    assert resolve(NPZ | {"tsne": {"landmarks": 91}})["tsne"]["landmarks"] == 91


def test_invalid_data_set_is_an_error_only_if_it_is_made(resolve_all):
    broken = NPZ | {"network": {"filters": [4]}}
    changes = {"datasets": {"Mine": NPZ, "Broken": broken}, "layers": ["pixel", "conv2"]}
    settings, errors = resolve_all(make=["Mine"], **changes)
    assert set(settings) == {"MNIST", "FashionMNIST", "Digits", "Mine"}
    assert list(errors) == ["Broken"]
    message = "layers: the network has no conv2 (datasets.Broken). Did you mean conv1?"
    assert errors["Broken"].startswith(message)
    with pytest.raises(UserError) as error:
        resolve_all(make=["Mine", "Broken"], **changes)
    assert f"{error.value}".startswith(message)


def test_column_of_labels_is_kept_beside_their_file(resolve):
    settings = resolve({"vectors": {"a": "a.npy"}, "labels": {"file": "~/t.csv", "column": "a {b}"}})
    assert settings["source"]["train"]["labels"] == str(Path.home() / "t.csv")
    assert settings["columns"] == {"labels": "a {b}"}
    table = {"file": "p.csv", "column": "guess"}
    test = {"vectors": {"a": "ta.npy"}, "labels": "ty.npy", "predictions": table}
    settings = resolve({"vectors": {"a": "a.npy"}, "labels": "y.npy", "predictions": "p.npy", "test": test})
    assert settings["source"]["test"]["predictions"] == "p.csv"
    assert settings["columns"] == {"test.predictions": "guess"}
    npy = {"images": "x.npy", "labels": "y.txt", "test_images": "x.npy"}
    table = {"file": "t.csv", "column": "species"}
    settings = resolve({"npy": npy | {"test_labels": table}})
    assert settings["source"] == npy | {"test_labels": "t.csv"} and settings["columns"] == {
        "npy.test_labels": "species"
    }
    assert resolve(NPZ)["columns"] == {}


@pytest.mark.parametrize(
    ("dataset", "find"),
    [
        *(({kind: "~/x"}, lambda settings: settings["source"]) for kind in ("pickle", "idx", "npz", "folder")),
        ({"npy": {"images": "a.npy", "labels": "~/x"}}, lambda settings: settings["source"]["labels"]),
        ({"npy": {"images": "a.npy", "labels": {"file": "~/x", "column": "c"}}}, lambda s: s["source"]["labels"]),
        ({"vectors": {"a": "~/x"}}, lambda settings: settings["source"]["train"]["vectors"]["a"]),
        ({"vectors": {"a": "a.npy"}, "labels": "~/x"}, lambda settings: settings["source"]["train"]["labels"]),
        (
            NPZ | {"network": {"model": "keras.applications.VGG16", "weights": "~/x"}},
            lambda settings: settings["network"]["weights"],
        ),
    ],
)
def test_home_folder_is_expanded_in_every_path(resolve, dataset, find):
    assert find(resolve(dataset)) == str(Path.home() / "x")


def test_path_that_begins_with_a_tilde_but_no_user_is_left(resolve):
    assert resolve({"npz": "~no-such-user.npz"})["source"] == "~no-such-user.npz"
