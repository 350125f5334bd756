"""What follows from the settings of a data set."""

import pytest

from common.settings import datasets

NPZ = {"npz": "x.npz"}
VECTORS = {"vectors": {"a": "a.npy", "b": "b.npy"}}
PREDICTED = {"vectors": {"pixel": "p.npy", "a": "a.npy"}, "labels": "y", "images": "x", "predictions": "z"}
IMPORTED = NPZ | {"network": {"model": "m.keras"}, "layers": ["pixel", "conv"]}


def test_files_of_the_first_seed_have_no_suffix(resolve):
    settings = resolve(NPZ, network={"seeds": [1004, 5]}, tsne={"seeds": [1, 2, 3]})
    assert datasets.network_seeds_by_suffix(settings) == {"": 1004, "-training5": 5}
    assert datasets.tsne_seeds_by_suffix(settings) == {"": 1, "-tsne2": 2, "-tsne3": 3}
    assert datasets.first_tsne_seed(settings) == 1 and datasets.first_network_seed(settings) == [1004]
    assert datasets.network_seeds(settings) == [1004, 5]


def test_only_layers_of_a_network_have_its_checkpoints(resolve):
    settings = resolve(NPZ, network={"seeds": [1004, 5]})
    assert datasets.checkpoints_of_layer(settings, "pixel") == {"": (None, None)}
    assert datasets.checkpoints_of_layer(settings, "conv1") == {
        "": (1004, None),
        "-training5": (5, None),
        "-epoch0": (1004, 0),
        "-training5-epoch0": (5, 0),
    }
    assert datasets.networks(settings) == ["", "-training5"]
    assert datasets.initial_networks(settings) == ["-epoch0", "-training5-epoch0"]
    assert datasets.control_layers(settings) == ["conv1", "conv2", "dense3"]


def test_without_checkpoints_there_is_no_control(resolve):
    settings = resolve(NPZ, network={"checkpoints": []})
    assert datasets.checkpoints_of_layer(settings, "conv1") == {"": (1004, None)}
    assert datasets.initial_networks(settings) == datasets.control_layers(settings) == []


def test_epochs_between_the_first_and_the_last_are_mapped_for_every_network(resolve):
    settings = resolve(NPZ, network={"seeds": [1004, 5], "checkpoints": [5, 0, 2]})
    assert datasets.shown_epochs(settings) == [0, 2, 5, 12] and datasets.later_epochs(settings) == [2, 5]
    assert list(datasets.checkpoints_of_layer(settings, "conv1").values()) == [
        *((1004, None), (5, None), (1004, 5), (5, 5), (1004, 0), (5, 0), (1004, 2), (5, 2)),
    ]
    assert datasets.initial_networks(settings) == ["-epoch0", "-training5-epoch0"]
    assert datasets.control_layers(settings) == datasets.network_layers(settings) == ["conv1", "conv2", "dense3"]


def test_control_of_an_imported_model_has_the_first_seed(resolve):
    settings = resolve(IMPORTED, network={"seeds": [1004, 5]})
    assert datasets.checkpoints_by_suffix(settings) == {"": (None, None), "-epoch0": (1004, 0)}
    assert datasets.control_layers(settings) == ["conv"]


def test_imported_model_is_one_network_without_a_seed(resolve):
    settings = resolve(IMPORTED, network={"seeds": [1004, 5]})
    assert datasets.network_seeds_by_suffix(settings) == {"": None} and datasets.networks(settings) == [""]
    assert datasets.network_seeds(settings) == [] and datasets.first_network_seed(settings) == []


def test_without_its_layers_there_is_no_network(resolve):
    assert datasets.networks(resolve(NPZ | {"layers": ["pixel"]})) == []
    assert datasets.networks(resolve(VECTORS)) == datasets.initial_networks(resolve(VECTORS)) == []
    assert datasets.control_layers(resolve(VECTORS)) == []
    assert not datasets.is_network_layer(resolve(VECTORS), "a")


def test_vectors_with_predictions_belong_to_a_network_that_is_not_of_the_workflow(resolve):
    settings = resolve(PREDICTED)
    assert datasets.networks(settings) == [] and datasets.predictions(settings) == [""]
    assert datasets.has_predictions(settings, "a") and not datasets.has_predictions(settings, "pixel")
    assert not datasets.is_network_layer(settings, "a") and datasets.control_layers(settings) == []
    assert datasets.checkpoints_of_layer(settings, "a") == {"": (None, None)}
    assert datasets.predictions(resolve(VECTORS)) == [] and datasets.predictions(resolve(IMPORTED)) == [""]
    assert datasets.has_predictions(resolve(NPZ), "conv1") and not datasets.has_predictions(resolve(VECTORS), "a")


def test_vectors_may_have_some_layers_before_training(resolve):
    settings = resolve(VECTORS | {"checkpoints": {0: {"b": "b0.npy"}}})
    assert datasets.checkpoints_of_layer(settings, "b") == {"": (None, None), "-epoch0": (None, 0)}
    assert datasets.checkpoints_of_layer(settings, "a") == {"": (None, None)}
    assert datasets.control_layers(settings) == ["b"] and datasets.initial_networks(settings) == []


def test_rows_are_called_images_if_there_are_any(resolve):
    nouns = [datasets.row_noun(resolve(dataset)) for dataset in (NPZ, PREDICTED, VECTORS)]
    assert nouns == ["image", "image", "row"]


@pytest.mark.parametrize(
    ("dataset", "reference"),
    [(NPZ | {"layers": ["conv1", "pixel"]}, "pixel"), (NPZ | {"layers": ["conv2", "conv1"]}, "conv2"), (VECTORS, "a")],
)
def test_reference_is_the_pixels_or_else_the_first_layer(resolve, dataset, reference):
    assert datasets.reference_layer(resolve(dataset)) == reference


@pytest.mark.parametrize(("perplexity", "k"), [(30, 90), (10, 30), (2, 30), (15.5, 46)])
def test_neighbors_suffice_for_tsne_and_for_the_scores(resolve, perplexity, k):
    assert datasets.n_neighbors(resolve(NPZ, tsne={"perplexity": perplexity})) == k


def test_parameters_of_tsne_are_those_that_change_an_embedding(resolve):
    parameters = datasets.tsne_parameters(resolve(NPZ))
    phases = {"exaggeration", "exaggerated_iterations", "iterations", "momentum", "learning_rate"}
    assert set(parameters) == {"backend", "start", "perplexity"} | phases


def test_number_of_classes_is_known_from_names_or_for_the_digits(resolve):
    assert datasets.count_classes(resolve(NPZ | {"classes": ["a", "b"]})) == 2
    assert datasets.count_classes(resolve({"digits": True})) == 10
    assert datasets.count_classes(resolve(NPZ)) is None


def test_epochs_are_those_of_all_phases(resolve):
    assert datasets.count_epochs(resolve(NPZ)) == 12


@pytest.mark.parametrize(
    ("dataset", "figures", "marked"),
    [
        (NPZ, {"errors": True}, True),
        (NPZ, {"errors": False}, False),
        (NPZ, {}, False),
        (NPZ | {"layers": ["pixel"]}, {"errors": True}, False),
        (VECTORS, {"errors": True}, False),
        (PREDICTED, {"errors": True}, True),
    ],
)
def test_errors_are_marked_if_there_is_a_network_that_makes_them(resolve, dataset, figures, marked):
    assert datasets.marks_errors(resolve(dataset, figures=figures)) is marked


@pytest.mark.parametrize(
    ("dataset", "shown"),
    [
        (NPZ, True),
        (NPZ | {"layers": ["pixel"]}, False),
        (NPZ | {"layers": ["conv2"]}, False),
        (NPZ | {"network": {"model": "m.py"}, "layers": ["conv1"]}, False),
        ({"vectors": {"conv1": "a.npy"}}, False),
    ],
)
def test_filters_are_those_of_the_notebooks_network(resolve, dataset, shown):
    assert datasets.shows_filters(resolve(dataset)) is shown


def test_one_layer_is_found_by_its_name_in_files(resolve):
    settings = resolve(NPZ | {"layers": ["pixel", {"layer": "conv1", "name": "first"}]})
    assert datasets.find_layer(settings, "first")["layer"] == "conv1"
    assert datasets.layer_names(settings) == ["pixel", "first"]
    assert datasets.has_images(settings) and not datasets.has_images(resolve(VECTORS))
