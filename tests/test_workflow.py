"""Whole runs of the real Snakemake on a small data set: what they make, and what a change makes stale."""

import json
import re
import shutil
import subprocess
import sys
import textwrap
from collections import Counter

import numpy as np
import pandas as pd
import pytest
import yaml

from helpers import FIGURES, LAYERS, ROOT, Workflow

EVERY_LAYER = {"find_neighbors": 4, "embed_tsne": 4, "plot_scatter": 4, "plot_thumbnails": 4}
MAPS = {"embed_tsne": 4, "plot_scatter": 4, "plot_thumbnails": 4}
NETWORK = {"train_network": 1, "extract_features": 3, "extract_filters": 1, "plot_filters": 1}
NETWORK_LAYERS = dict.fromkeys(EVERY_LAYER, 3)


def test_one_command_makes_the_nine_figures_and_their_twins(finished):
    figures = {path.name for path in (finished.folder / "results/figures").iterdir()}
    assert figures == {f"{name}.{suffix}" for name in FIGURES for suffix in ("eps", "png")}


def test_data_keeps_its_contract(finished, pairs):
    for split, (rows, labels) in zip(("train", "validation", "test"), pairs, strict=True):
        images = np.load(finished.folder / f"results/Digits/data/{split}_images.npy")
        assert images.shape == (len(rows), 28, 28, 1) and images.dtype == np.float32
        assert np.array_equal(images.reshape(len(rows), -1), rows)
        assert np.array_equal(np.load(finished.folder / f"results/Digits/data/{split}_labels.npy"), labels)


def test_network_learns_and_its_history_has_a_row_an_epoch(finished):
    history = pd.read_csv(finished.folder / "results/Digits/network/history.csv")
    assert list(history.columns) == ["epoch", "batch_size", "loss", "accuracy", "val_loss", "val_accuracy"]
    assert list(history.epoch) == [1, 2, 3, 4] and list(history.batch_size) == [32, 32, 32, 64]
    assert history.val_accuracy.iloc[-1] > 0.9


def test_features_keep_their_contract(finished):
    for layer, width in zip(LAYERS, (784, 3920, 1960, 200), strict=True):
        features = np.load(finished.folder / f"results/Digits/features/{layer}.npy")
        assert features.shape == (1297, width) and features.dtype == np.float32 and features.flags.c_contiguous
        assert np.isfinite(features).all()
    images = np.load(finished.folder / "results/Digits/data/train_images.npy")
    pixels = np.load(finished.folder / "results/Digits/features/pixel.npy")
    assert np.array_equal(pixels, images.reshape(1297, 784))


@pytest.mark.parametrize("layer", LAYERS)
def test_maps_keep_their_contract_and_separate_the_digits(finished, layer):
    coordinates = np.load(finished.folder / f"results/Digits/maps/{layer}.npy")
    assert coordinates.shape == (1297, 2) and coordinates.dtype == np.float32 and np.isfinite(coordinates).all()
    labels = np.load(finished.folder / "results/Digits/data/train_labels.npy")
    distances = np.linalg.norm(coordinates[:, None] - coordinates, axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (labels[distances.argmin(axis=1)] == labels).mean() > 0.95
    facts = json.loads((finished.folder / f"results/Digits/maps/{layer}.json").read_text())
    assert facts["backend"] == "openTSNE" and facts["perplexity"] == 15 and facts["images"] == 1297
    assert facts["neighbors"] == {"method": "exact", "recall": 1.0, "k": 45}
    assert 0.1 < facts["kl_divergence"] < 1.2


def test_maps_are_the_same_to_the_bit_in_a_second_run(workflow):
    path = workflow.folder / "results/Digits/maps/conv1.npy"
    before = path.read_bytes()
    path.unlink()
    (workflow.folder / "results/Digits/neighbors/conv1.npz").unlink()
    result = workflow.run("--", "results/Digits/maps/conv1.npy")
    assert result.returncode == 0, result.stderr
    assert path.read_bytes() == before


def test_network_is_the_same_in_a_second_run(workflow):
    network = workflow.folder / "results/Digits/network"
    before = [(network / name).read_bytes() for name in ("history.csv", "conv1_filters.npy")]
    shutil.rmtree(network)
    result = workflow.run("--", "results/Digits/network/conv1_filters.npy")
    assert result.returncode == 0, result.stderr
    assert [(network / name).read_bytes() for name in ("history.csv", "conv1_filters.npy")] == before


def test_pixel_map_needs_no_network(fresh):
    plan = fresh.plan("results/figures/Digits_tSNE_pixel.eps")
    assert plan == Counter(
        ["download_dataset", "prepare_dataset", "flatten_images", "find_neighbors", "embed_tsne", "plot_scatter"]
    )


def test_without_its_layers_no_network_is_trained(finished, tmp_path):
    shutil.copytree(finished.folder, tmp_path / "workflow", ignore=shutil.ignore_patterns("results"))
    workflow = Workflow(tmp_path / "workflow")
    workflow.configure(layers=["pixel"])
    rules = "prepare_dataset flatten_images find_neighbors embed_tsne plot_scatter plot_thumbnails"
    assert workflow.plan() - Counter(["download_dataset"]) == Counter(rules.split())


def test_nothing_stale_nothing_to_do(finished):
    assert finished.plan() == {}


def test_moved_folder_is_not_stale(workflow):
    assert workflow.plan() == {}


def test_deleted_figure_is_one_job(workflow):
    (workflow.folder / "results/figures/Digits_tSNE_conv2_embed.eps").unlink()
    assert workflow.plan() == {"plot_thumbnails": 1}


def test_figure_asked_for_by_name_is_one_job(workflow):
    shutil.rmtree(workflow.folder / "results/figures")
    assert workflow.plan("results/figures/Digits_tSNE_conv2.eps") == {"plot_scatter": 1}


def test_readme_snippet_makes_it_a_module_of_another_workflow(finished, tmp_path):
    shutil.copytree(finished.folder, tmp_path / "layers", ignore=shutil.ignore_patterns("results", ".snakemake"))
    readme = (ROOT / "README.md").read_text()
    snippet = re.search(r'^    configfile: "config.yaml"\n.*?\n(?=\S)', readme, re.M | re.S)[0]
    (tmp_path / "Snakefile").write_text(textwrap.dedent(snippet))
    config = yaml.safe_load((finished.folder / "config/config.yaml").read_text())
    for section, values in yaml.safe_load((finished.folder / "digits.yaml").read_text()).items():
        config[section] = config[section] | values
    config["dataset"]["sources"] = [{"path": "layers/digits.pkl.gz"}]
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"layers": config}))
    figure = "mnist/results/figures/Digits_tSNE_pixel.eps"
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--", figure]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    assert (tmp_path / figure).exists() and "rule layers_plot_scatter:" in result.stderr


@pytest.mark.parametrize(
    ("section", "change", "stale"),
    [
        ("figures", {"scatter": {"style": "paper", "size": 5}}, {"plot_scatter": 4}),
        ("figures", {"thumbnails": {"canvas": 1000}}, {"plot_thumbnails": 4}),
        ("figures", {"filters": {"size": 3}}, {"plot_filters": 1}),
        ("figures", {"palette": "tab10"}, {"plot_scatter": 4, "plot_thumbnails": 4}),
        ("tsne", {"perplexity": 20}, EVERY_LAYER),
        ("tsne", {"backend": "opentsne"}, MAPS),
        ("network", {"schedule": [{"epochs": 2, "batch_size": 32}]}, NETWORK | NETWORK_LAYERS),
        ("dataset", {"train_size": 1000}, {"prepare_dataset": 1, "flatten_images": 1} | NETWORK | EVERY_LAYER),
    ],
)
def test_changed_value_makes_stale_what_depends_on_it(workflow, section, change, stale):
    workflow.configure(**{section: change})
    assert workflow.plan() == stale


def test_asking_for_a_gpu_makes_nothing_stale(workflow):
    workflow.configure(gpu=True)
    assert workflow.plan() == {}


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
        ("scripts/common/figures.py", {"plot_scatter": 4, "plot_thumbnails": 4, "plot_filters": 1}),
        ("scripts/common/backend.py", NETWORK | NETWORK_LAYERS),
        (
            "scripts/common/mnist_pickle.py",
            {"download_dataset": 1, "prepare_dataset": 1, "flatten_images": 1} | NETWORK | EVERY_LAYER,
        ),
    ],
)
def test_edited_file_makes_stale_the_rules_that_use_it(workflow, path, stale):
    edit(workflow, path)
    assert workflow.plan() == stale
