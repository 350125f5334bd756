"""Whole runs of the real Snakemake on a small data set: what they make, and what a change makes stale."""

import json
import re
import shutil
from collections import Counter

import numpy as np
import pandas as pd
import pytest

from helpers import FIGURES, LAYERS, Workflow

SUMMARY = {"summarize_run": 1}
METHODS = {"write_methods": 1} | SUMMARY
COMPARISON = {
    "compare_layers": 1,
    "plot_layers": 1,
    "plot_scores": 1,
    "tabulate_maps": 1,
    "build_explorer": 1,
} | METHODS
ONE_MAP = ("embed_tsne", "transform_images", "score_map", "plot_scatter", "plot_thumbnails")


SPLITS = ("train", "validation", "test")


def maps(layers: int) -> dict[str, int]:
    """The jobs that make the maps of so many layers, and all that shows them."""
    return dict.fromkeys(ONE_MAP, layers) | {"align_map": 2 * layers} | COMPARISON


MAPS = maps(4)
EVERY_LAYER = MAPS | {"find_neighbors": 4}
NETWORK_LAYERS = maps(3) | {"find_neighbors": 3}
COLORED = {"plot_scatter": 4, "plot_thumbnails": 4, "plot_layers": 1, "build_explorer": 1}
DATA = {"prepare_dataset": 1, "flatten_images": 1}
NETWORK = {"train_network": 1, "extract_features": 3, "predict_labels": 1, "extract_filters": 1}
NETWORK |= {"plot_filters": 1, "plot_history": 1}


def test_one_command_makes_every_figure_and_its_twin(finished):
    figures = {path.name for path in (finished.folder / "results/figures").iterdir()}
    assert figures == {f"{name}.{suffix}" for name in FIGURES for suffix in ("eps", "png")}


def test_data_keeps_its_contract(finished, pairs):
    for split, (rows, labels) in zip(("train", "validation", "test"), pairs, strict=True):
        images = np.load(finished.folder / f"results/Small/data/{split}_images.npy")
        assert images.shape == (len(rows), 28, 28, 1) and images.dtype == np.float32
        assert np.array_equal(images.reshape(len(rows), -1), rows)
        assert np.array_equal(np.load(finished.folder / f"results/Small/data/{split}_labels.npy"), labels)


def test_network_learns_and_its_history_has_a_row_an_epoch(finished):
    history = pd.read_csv(finished.folder / "results/Small/network/history.csv")
    assert list(history.columns) == ["epoch", "batch_size", "loss", "accuracy", "val_loss", "val_accuracy"]
    assert list(history.epoch) == [1, 2, 3, 4] and list(history.batch_size) == [32, 32, 32, 64]
    assert history.val_accuracy.iloc[-1] > 0.9


def test_features_keep_their_contract(finished):
    for layer, width in zip(LAYERS, (784, 3920, 1960, 200), strict=True):
        features = np.load(finished.folder / f"results/Small/features/{layer}.npy")
        assert features.shape == (1297, width) and features.dtype == np.float32 and features.flags.c_contiguous
        assert np.isfinite(features).all()
    images = np.load(finished.folder / "results/Small/data/train_images.npy")
    pixels = np.load(finished.folder / "results/Small/features/pixel.npy")
    assert np.array_equal(pixels, images.reshape(1297, 784))


@pytest.mark.parametrize("layer", LAYERS)
def test_maps_keep_their_contract_and_separate_the_digits(finished, layer):
    coordinates = np.load(finished.folder / f"results/Small/maps/{layer}.npy")
    assert coordinates.shape == (1297, 2) and coordinates.dtype == np.float32 and np.isfinite(coordinates).all()
    labels = np.load(finished.folder / "results/Small/data/train_labels.npy")
    distances = np.linalg.norm(coordinates[:, None] - coordinates, axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (labels[distances.argmin(axis=1)] == labels).mean() > 0.95
    facts = json.loads((finished.folder / f"results/Small/maps/{layer}.json").read_text())
    assert facts["backend"] == "openTSNE" and facts["perplexity"] == 15 and facts["images"] == 1297
    assert facts["neighbors"] == {"method": "exact", "recall": 1.0, "k": 45}
    assert 0.1 < facts["kl_divergence"] < 1.2


def test_scores_keep_their_contract(finished):
    results = finished.folder / "results/Small"
    table = pd.read_csv(results / "layers.csv")
    assert list(zip(table.layer, table.split, strict=True)) == [(la, s) for la in LAYERS for s in ("train", "test")]
    assert (table.tsne_seed == 1004).all() and table.network_seed.isna().tolist() == [True] * 2 + [False] * 6
    assert (table.rows == [1297, 250] * 4).all() and (table.dimensions == np.repeat([784, 3920, 1960, 200], 2)).all()
    shares = [
        "knn_accuracy_features",
        "knn_accuracy_map",
        "knn_preservation_10",
        "knn_preservation_30",
        "trustworthiness",
        "continuity",
    ]
    assert table[shares].stack().between(0.3, 1).all()
    assert (table[["knn_accuracy_features", "knn_accuracy_map"]] > 0.9).all(axis=None)
    assert table.kl_divergence.isna().tolist() == [False, True] * 4
    network = table.network_accuracy[table.layer != "pixel"]
    assert network.between(0.9, 1).all() and table.network_accuracy[table.layer == "pixel"].isna().all()
    summary = json.loads((results / "layers.json").read_text())
    assert list(summary["layers"]) == list(LAYERS) and summary["best"]["features"] in LAYERS
    assert summary["layers"]["pixel"]["train"]["kl_divergence"]["mean"] == pytest.approx(table.kl_divergence[0], 1e-4)


def test_table_of_the_maps_has_a_row_an_image(finished):
    table = pd.read_csv(finished.folder / "results/Small/maps.csv")
    places = [f"{layer}_{axis}" for layer in LAYERS for axis in "xy"]
    assert list(table.columns) == ["id", "split", "label", "prediction", "confidence", *places]
    assert table.split.value_counts().to_dict() == {"train": 1297, "test": 250}
    for split, rows in table.groupby("split"):
        labels = np.load(finished.folder / f"results/Small/data/{split}_labels.npy")
        assert (rows.id.to_numpy() == np.arange(len(labels))).all() and (rows.label.to_numpy() == labels).all()
        assert (rows.prediction == rows.label).mean() > 0.9 and rows.confidence.between(0.1, 1).all()
        part = "" if split == "train" else "_test"
        coordinates = np.load(finished.folder / f"results/Small/aligned/conv2{part}.npy")
        assert np.allclose(rows[["conv2_x", "conv2_y"]], coordinates, rtol=1e-5)


def test_maps_are_turned_to_the_first(finished):
    maps, aligned = (finished.folder / f"results/Small/{name}" for name in ("maps", "aligned"))
    first = np.load(maps / "pixel.npy")
    assert np.allclose(np.load(aligned / "pixel.npy"), first - first.mean(axis=0), atol=1e-3)
    for layer in LAYERS:
        before, after = np.load(maps / f"{layer}.npy"), np.load(aligned / f"{layer}.npy")
        assert np.allclose(
            np.linalg.norm(before[0] - before, axis=1), np.linalg.norm(after[0] - after, axis=1), rtol=1e-3
        )
        turned = np.linalg.svd((after - after.mean(axis=0)).T @ (first - first.mean(axis=0)))
        assert np.allclose(turned.U @ turned.Vh, np.eye(2), atol=1e-3), "no other turn brings it nearer"


def test_several_seeds_are_all_combinations_and_the_figures_show_the_first(finished, tmp_path):
    workflow = finished.copy(tmp_path / "workflow")
    workflow.configure(network={"seeds": [1004, 5]}, tsne={"seeds": [1004, 6, 7]})
    plan = workflow.plan()
    networks, pixels, others = {"train_network": 1, "extract_features": 3, "predict_labels": 1}, 2, 3 * (2 * 3 - 1)
    again = dict.fromkeys(("embed_tsne", "transform_images", "score_map"), pixels + others)
    comparison = {"compare_layers": 1, "plot_scores": 1} | METHODS
    assert plan == networks | {"find_neighbors": 3} | again | comparison


def test_scores_of_several_seeds_stand_in_the_table_with_their_seed(workflow):
    workflow.configure(layers=["pixel"], tsne={"seeds": [1004, 6]})
    result = workflow.run("--", "results/Small/layers.csv")
    assert result.returncode == 0, result.stderr
    table = pd.read_csv(workflow.folder / "results/Small/layers.csv")
    assert table.tsne_seed.tolist() == [1004, 1004, 6, 6]
    assert table.kl_divergence[0] != table.kl_divergence[2]
    spread = json.loads((workflow.folder / "results/Small/layers.json").read_text())["layers"]["pixel"]["train"]
    assert spread["kl_divergence"]["low"] < spread["kl_divergence"]["mean"] < spread["kl_divergence"]["high"]


def test_maps_are_the_same_to_the_bit_in_a_second_run(workflow):
    path = workflow.folder / "results/Small/maps/conv1.npy"
    before = path.read_bytes()
    path.unlink()
    (workflow.folder / "results/Small/neighbors/conv1.npz").unlink()
    result = workflow.run("--", "results/Small/maps/conv1.npy")
    assert result.returncode == 0, result.stderr
    assert path.read_bytes() == before


def test_network_is_the_same_in_a_second_run(workflow):
    network = workflow.folder / "results/Small/network"
    before = [(network / name).read_bytes() for name in ("history.csv", "conv1_filters.npy")]
    shutil.rmtree(network)
    result = workflow.run("--", "results/Small/network/conv1_filters.npy")
    assert result.returncode == 0, result.stderr
    assert [(network / name).read_bytes() for name in ("history.csv", "conv1_filters.npy")] == before


def test_pixel_map_needs_no_network(fresh):
    plan = fresh.plan("results/figures/Small_tSNE_pixel.eps")
    rules = "prepare_dataset flatten_images find_neighbors embed_tsne align_map plot_scatter"
    assert plan == Counter(rules.split())


def test_without_its_layers_no_network_is_trained(finished, tmp_path):
    shutil.copytree(finished.folder, tmp_path / "workflow", ignore=shutil.ignore_patterns("results"))
    workflow = Workflow(tmp_path / "workflow")
    workflow.configure(layers=["pixel"])
    assert workflow.plan() == maps(1) | {"prepare_dataset": 1, "flatten_images": 1, "find_neighbors": 1}


@pytest.mark.parametrize(("layers", "held_out"), [(["pixel"], 0), (["pixel", "dense3"], 548)])
def test_without_layers_of_a_network_nothing_is_held_out(fresh, tmp_path, layers, held_out):
    workflow = fresh.copy(tmp_path / "workflow")
    workflow.configure(layers=layers)
    result = workflow.run("--", "results/Digits/data/train_images.npy")
    assert result.returncode == 0, result.stderr
    rows = {split: len(np.load(workflow.folder / f"results/Digits/data/{split}_labels.npy")) for split in SPLITS}
    assert rows["train"] == 1797 - held_out and rows["validation"] + rows["test"] == held_out


def test_nothing_stale_nothing_to_do(finished):
    assert finished.plan() == {}


def test_moved_folder_is_not_stale(workflow):
    assert workflow.plan() == {}


def test_deleted_figure_is_one_job(workflow):
    (workflow.folder / "results/figures/Small_tSNE_conv2_embed.eps").unlink()
    assert workflow.plan() == {"plot_thumbnails": 1}


def test_figure_asked_for_by_name_is_one_job(workflow):
    shutil.rmtree(workflow.folder / "results/figures")
    assert workflow.plan("results/figures/Small_tSNE_conv2.eps") == {"plot_scatter": 1}


@pytest.mark.parametrize(
    ("section", "change", "stale"),
    [
        ("figures", {"scatter": {"style": "paper", "size": 5, "errors": False}}, {"plot_scatter": 4} | SUMMARY),
        ("figures", {"scatter": {"style": "paper", "size": None, "errors": True}}, {"plot_scatter": 4} | SUMMARY),
        ("figures", {"thumbnails": {"canvas": 1000}}, {"plot_thumbnails": 4} | SUMMARY),
        ("figures", {"filters": {"size": 3}}, {"plot_filters": 1} | SUMMARY),
        ("figures", {"palette": "tab10"}, COLORED | SUMMARY),
        ("tsne", {"perplexity": 20}, EVERY_LAYER),
        ("tsne", {"backend": "opentsne"}, MAPS),
        ("network", {"schedule": [{"epochs": 2, "batch_size": 32}]}, NETWORK | NETWORK_LAYERS),
        ("datasets", {"Small": {"pickle": "digits.pkl.gz", "sample": 1000}}, DATA | NETWORK | EVERY_LAYER),
    ],
)
def test_changed_value_makes_stale_what_depends_on_it(workflow, section, change, stale):
    workflow.configure(**{section: change})
    assert workflow.plan() == stale


def test_asking_for_a_gpu_makes_nothing_stale(workflow):
    workflow.configure(gpu=True)
    assert workflow.plan() == SUMMARY, "but the page that says so"


def test_how_much_a_job_may_hold_at_once_makes_nothing_stale(workflow):
    workflow.configure(memory=500)
    assert workflow.plan() == {}


FIGURE_RULES = {"plot_scatter": 4, "plot_thumbnails": 4, "plot_filters": 1}
FIGURE_RULES |= dict.fromkeys(("plot_layers", "plot_scores", "plot_history", "build_explorer"), 1)


def edit(workflow: Workflow, path: str) -> None:
    with (workflow.folder / path).open("a") as file:
        file.write("\n# edited\n")


@pytest.mark.parametrize(
    ("path", "stale"),
    [
        ("config/config.yaml", {}),
        ("scripts/plot_scatter.py", {"plot_scatter": 4}),
        ("scripts/embed_tsne.py", MAPS),
        ("scripts/common/tsnecuda_process.py", MAPS),
        ("scripts/common/figures.py", FIGURE_RULES),
        ("scripts/explorer/plot.js", {"build_explorer": 1}),
        ("scripts/common/backend.py", NETWORK | NETWORK_LAYERS),
        (
            "scripts/common/mnist_pickle.py",
            DATA | NETWORK | EVERY_LAYER,
        ),
    ],
)
def test_edited_file_makes_stale_the_rules_that_use_it(workflow, path, stale):
    edit(workflow, path)
    assert workflow.plan() == stale


def test_idx_files_are_found_in_a_folder_of_several_data_sets(fresh, tmp_path):
    workflow = fresh.copy(tmp_path / "workflow")
    folder = workflow.folder / "emnist"
    folder.mkdir()
    for name in ("emnist-digits", "emnist-letters"):
        for part in ("train-images-idx3", "train-labels-idx1", "test-images-idx3", "test-labels-idx1"):
            (folder / f"{name}-{part}-ubyte.gz").touch()
        (folder / f"{name}-mapping.txt").touch()
    target = "results/Mine/data/train_images.npy"
    workflow.configure(datasets={"Mine": {"idx": "emnist/emnist-letters"}})
    planned = workflow.run("--dry-run", "--", target)
    (line,) = re.findall(r"^    input: (.*)$", planned.stdout + planned.stderr, re.M)
    parts = ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "test-images-idx3-ubyte.gz")
    files = [f"emnist/emnist-letters-{part}" for part in (*parts, "test-labels-idx1-ubyte.gz", "mapping.txt")]
    assert line.split(", ") == files
    workflow.configure(datasets={"Mine": {"idx": "emnist"}})
    result = workflow.run("--dry-run", "--", target)
    said = result.stdout + result.stderr
    assert "emnist: there are several data sets" in said and "emnist-digits-, emnist-letters-" in said
    workflow.configure(datasets={"Mine": {"idx": "nowhere"}})
    result = workflow.run("--dry-run", "--", target)
    said = result.stdout + result.stderr
    assert "Missing input files" in said and "nowhere/train-images-idx3-ubyte.gz" in said


def test_name_of_a_data_set_makes_that_one(finished):
    plan = finished.plan("Digits")
    assert plan["train_network"] == 1 and plan["plot_scatter"] == 4 and plan["download_dataset"] == 0
    assert finished.plan("Small") == {}
