"""What Snakemake plans: for a target, after a change, and where nothing has changed."""

import re
import shutil

import numpy as np
import pytest

from helpers import Workflow

SUMMARY = {"summarize_run"}
COMPARISON = {
    "compare_layers",
    "plot_layers",
    "plot_scores",
    "plot_splits",
    "plot_prediction_depth",
    "plot_flow",
    "plot_flow_images",
    "tabulate_maps",
    "build_explorer",
    "write_methods",
} | SUMMARY
EMBEDDING = {"embed_tsne", "score_map", "plot_scatter", "plot_thumbnails", "align_map"} | COMPARISON
LAYER = {"find_neighbors", "score_features"} | EMBEDDING
SIMILARITY = {"measure_similarity", "plot_similarity"}
OF_CONTROL = {"initialize_network", "extract_features", "find_neighbors", "embed_tsne", "align_map", "score_map"}
OF_CONTROL |= {"score_features", "compare_layers", "plot_layers", "plot_scores", "plot_splits", "write_methods"}
OF_CONTROL |= SIMILARITY | SUMMARY | {"build_explorer"}
CONTROL = {"initialize_network"}
NETWORK = {"train_network", "extract_features", "predict_labels", "extract_filters", "plot_filters", "plot_history"}
DATA = {"prepare_dataset", "flatten_images"}
EVERYTHING = DATA | CONTROL | NETWORK | LAYER | SIMILARITY
FIGURES = {"plot_scatter", "plot_thumbnails", "plot_filters", "plot_layers", "plot_scores", "plot_history"}
FIGURES |= {"plot_flow", "plot_flow_images", "plot_splits", "plot_similarity", "plot_prediction_depth"}
COLORED = {"plot_scatter", "plot_thumbnails", "plot_layers", "build_explorer"}


def test_finished_run_is_up_to_date(finished):
    assert finished.plan() == {}


@pytest.mark.slow
def test_moved_folder_is_up_to_date(workflow):
    assert workflow.plan() == {}


def test_embedding_of_the_pixels_needs_no_network(fresh):
    plan = fresh.plan("results/figures/Small_tSNE_pixel.eps")
    assert set(plan) == DATA | {"find_neighbors", "embed_tsne", "align_map", "plot_scatter"}


@pytest.mark.slow
@pytest.mark.parametrize("start", ["reference", "pca"])
def test_every_embedding_waits_for_that_of_the_reference_layer(fresh, tmp_path, start):
    workflow = fresh.copy(tmp_path / "workflow")
    workflow.configure(layers=["conv1", "pixel", "conv2"], tsne={"start": start})
    for layer, count in (("pixel", 1), ("conv2", 2)):
        plan = workflow.plan(f"results/Small/maps/{layer}.npy")
        assert plan["embed_tsne"] == plan["find_neighbors"] == count
        assert plan["flatten_images"] == 1 and plan["extract_features"] == count - 1
    workflow.configure(layers=["conv1", "conv2"])
    assert workflow.plan("results/Small/maps/conv1.npy")["embed_tsne"] == 1, "without the pixels, the first layer"
    assert workflow.plan("results/Small/maps/conv2.npy")["embed_tsne"] == 2


@pytest.mark.slow
def test_held_out_images_are_placed_by_a_job_of_their_own_with_landmarks_only(fresh, tmp_path):
    workflow = fresh.copy(tmp_path / "workflow")
    assert "transform_images" not in workflow.plan()
    workflow.configure(tsne={"landmarks": 500})
    plan = workflow.plan()
    assert plan["transform_images"] == 4 and "find_neighbors" not in plan


@pytest.mark.slow
def test_without_its_layers_no_network_is_trained(finished, tmp_path):
    shutil.copytree(finished.folder, tmp_path / "workflow", ignore=shutil.ignore_patterns("results"))
    workflow = Workflow(tmp_path / "workflow")
    workflow.configure(layers=["pixel"])
    assert set(workflow.plan()) == DATA | LAYER | SIMILARITY


@pytest.mark.slow
def test_more_seeds_add_all_combinations_and_change_no_figure_of_a_single_embedding(workflow):
    workflow.configure(network={"seeds": [1004, 5]}, tsne={"seeds": [1004, 6, 7]})
    plan = workflow.plan()
    assert not set(plan) & (FIGURES - {"plot_scores", "plot_splits", "plot_similarity"})
    added = 2 + 3 * 2 * (2 * 3 - 1)  # pixels, and three layers, before and after, of two networks with three embeddings
    assert plan["embed_tsne"] == plan["score_map"] == added
    assert plan["train_network"] == plan["initialize_network"] == 1
    assert plan["find_neighbors"] == plan["score_features"] == 6, "once for the layers of the other network"


@pytest.mark.slow
def test_map_of_a_trained_layer_needs_no_control_and_the_control_no_training(fresh, tmp_path):
    workflow = fresh.copy(tmp_path / "workflow")
    workflow.configure(network={"checkpoints": [0]})
    plan = workflow.plan("results/figures/Small_tSNE_conv2.eps")
    assert "initialize_network" not in plan and plan["embed_tsne"] == 2
    plan = workflow.plan("results/Small/maps/conv2-epoch0.npy")
    assert "train_network" not in plan and plan["embed_tsne"] == 2


@pytest.mark.slow
def test_without_a_control_the_comparisons_are_made_again_and_nothing_is_computed(workflow):
    workflow.configure(network={"checkpoints": []})
    compared = {"compare_layers", "plot_layers", "plot_scores", "plot_splits", "write_methods", "build_explorer"}
    assert set(workflow.plan()) == compared | SIMILARITY | SUMMARY


@pytest.mark.slow
def test_another_epoch_is_made_without_training_the_network_again(workflow):
    workflow.configure(network={"checkpoints": [0, 1]})
    plan = workflow.plan()
    assert "train_network" not in plan and plan["restore_network"] == 1
    assert plan["embed_tsne"] == plan["plot_epochs"] == 3 and plan["plot_learning"] == 1
    network = workflow.folder / "results/Small/network"
    before = {path.name: path.stat().st_mtime_ns for path in network.glob("network*.keras")}
    result = workflow.run("--", "results/Small/network/network-epoch1.keras")
    assert result.returncode == 0 and "epoch 1 was not kept: training 1 epoch again, of 4" in result.stderr
    after = {path.name: path.stat().st_mtime_ns for path in network.glob("network*.keras")}
    assert set(after) - set(before) == {"network-epoch1.keras"} and before.items() <= after.items()
    (network / "network-epoch1.keras").unlink()
    result = workflow.run("--", "results/Small/network/network-epoch1.keras")
    assert result.returncode == 0 and "resumed after epoch 1" in result.stderr


@pytest.mark.slow
def test_data_set_that_is_like_another_shares_its_images_and_pixels(workflow):
    network = {"filters": [4], "units": [8], "checkpoints": []}
    workflow.configure(datasets={"Narrow": {"like": "Small", "network": network, "layers": ["pixel", "dense2"]}})
    plan = workflow.plan("Narrow")
    assert plan["embed_tsne"] == plan["find_neighbors"] == plan["score_map"] == plan["extract_features"] == 1
    assert not set(plan) & {"prepare_dataset", "flatten_images", "initialize_network"}
    result = workflow.run("--", "results/Narrow/maps/dense2.npy", "results/Narrow/aligned/pixel.npy")
    assert result.returncode == 0, result.stderr
    small, narrow = (workflow.folder / f"results/{name}" for name in ("Small", "Narrow"))
    for file in ("data/train_images.npy", "maps/pixel.npy", "aligned/pixel.npy"):
        assert (narrow / file).samefile(small / file)
    assert len(np.load(narrow / "features/dense2.npy")) == len(np.load(small / "features/dense3.npy"))
    assert not np.array_equal(np.load(narrow / "maps/dense2.npy"), np.load(small / "maps/dense3.npy"))
    (small / "data/train_labels.npy").touch()
    assert workflow.plan("Narrow")["share_file"] >= 1, "what is made again is shared again"


@pytest.mark.slow
def test_deleted_figure_is_drawn_again_and_nothing_else(workflow):
    (workflow.folder / "results/figures/Small_tSNE_conv2_embed.eps").unlink()
    assert workflow.plan() == {"plot_thumbnails": 1}
    shutil.rmtree(workflow.folder / "results/figures")
    assert workflow.plan("results/figures/Small_tSNE_conv2.eps") == {"plot_scatter": 1}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("section", "change", "stale"),
    [
        ("figures", {"scatter": {"style": "paper", "size": 5}}, {"plot_scatter"} | SUMMARY),
        ("figures", {"errors": True}, {"plot_scatter", "plot_layers"} | SUMMARY),
        ("figures", {"thumbnails": {"canvas": 1000}}, {"plot_thumbnails"} | SUMMARY),
        ("figures", {"filters": {"size": 3}}, {"plot_filters"} | SUMMARY),
        ("figures", {"palette": "tab10"}, COLORED | SUMMARY),
        ("tsne", {"perplexity": 20}, LAYER),
        ("tsne", {"backend": "opentsne"}, EMBEDDING),
        ("tsne", {"start": "pca"}, EMBEDDING),
        ("network", {"schedule": [{"epochs": 2, "batch_size": 32}]}, NETWORK | LAYER | SIMILARITY),
        ("datasets", {"Small": {"pickle": "digits.pkl.gz", "sample": 1000}}, EVERYTHING),
    ],
)
def test_changed_value_makes_stale_what_depends_on_it(workflow, section, change, stale):
    workflow.configure(**{section: change})
    assert set(workflow.plan()) == stale


@pytest.mark.slow
def test_resources_make_no_result_stale(workflow):
    workflow.configure(memory_mb=500)
    assert workflow.plan() == {}
    workflow.configure(gpu=True)
    assert set(workflow.plan()) == SUMMARY, "only the page that shows the setting"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "stale"),
    [
        ("config/config.yaml", set()),
        ("scripts/plot_scatter.py", {"plot_scatter"}),
        ("scripts/embed_tsne.py", EMBEDDING),
        ("scripts/common/knn/views.py", LAYER),
        ("scripts/score_features.py", {"score_features", "compare_layers", "plot_scores", "plot_splits"} | SUMMARY),
        ("scripts/initialize_network.py", OF_CONTROL),
        ("scripts/plot_flow_images.py", {"plot_flow_images"}),
        ("scripts/common/tsne/tsnecuda_process.py", EMBEDDING),  # imported in a function
        ("scripts/common/figures/style.py", FIGURES | {"build_explorer"}),
        ("scripts/explorer/bundle.js", {"build_explorer"}),
        ("scripts/common/networks/keras_setup.py", EVERYTHING - DATA),
        ("scripts/common/networks/architectures/notebook.py", EVERYTHING - DATA),
        ("scripts/common/readers/pickle.py", EVERYTHING),
        ("scripts/common/readers/npz.py", set()),  # another kind of data set
    ],
)
def test_edited_file_makes_stale_the_rules_that_use_it(workflow, path, stale):
    file = workflow.folder / path
    file.write_text(file.read_text() + ("\n# edited\n" if file.suffix != ".js" else "\n// edited\n"))
    assert set(workflow.plan()) == stale


@pytest.mark.slow
def test_name_of_a_data_set_is_a_target(finished):
    plan = finished.plan("Digits")
    assert {"train_network", "plot_scatter"} <= set(plan) and "download_dataset" not in plan
    assert finished.plan("Small") == {}


@pytest.mark.slow
def test_files_of_a_data_set_are_found_when_jobs_are_planned(fresh, tmp_path):
    workflow = fresh.copy(tmp_path / "workflow")
    folder = workflow.folder / "emnist"
    folder.mkdir()
    parts = ("train-images-idx3", "train-labels-idx1", "test-images-idx3", "test-labels-idx1")
    files = [f"emnist/emnist-letters-{part}-ubyte.gz" for part in parts] + ["emnist/emnist-letters-mapping.txt"]
    for file in files:
        (workflow.folder / file).touch()
    target = "results/Mine/data/train_images.npy"
    workflow.configure(datasets={"Mine": {"idx": "emnist/emnist-letters"}})
    planned = workflow.run("--dry-run", "--", target)
    (line,) = re.findall(r"^    input: (.*)$", planned.stdout + planned.stderr, re.M)
    assert line.split(", ") == files
    workflow.configure(datasets={"Mine": {"idx": "nowhere"}})
    output = workflow.run("--dry-run", "--", target)
    assert "Missing input files" in output.stdout + output.stderr
    assert "nowhere/train-images-idx3-ubyte.gz" in output.stdout + output.stderr
