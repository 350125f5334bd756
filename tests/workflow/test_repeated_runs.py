"""Runs that are repeated, and runs with several seeds."""

import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest

from common.names import SPLITS, SUFFIXES

pytestmark = pytest.mark.slow


def test_scores_of_several_seeds_are_in_the_table_with_their_seed(workflow):
    workflow.configure(layers=["pixel"], tsne={"seeds": [1004, 6]})
    result = workflow.run("--", "results/Small/layers.csv")
    assert result.returncode == 0, result.stderr
    table = pd.read_csv(workflow.folder / "results/Small/layers.csv")
    assert table.embedding[table.tsne_seed == 1004].tolist() == ["tsne", "pca", "random"] * 3
    assert table.embedding[table.tsne_seed == 6].tolist() == ["tsne"] * 3, "baselines are those of the first"
    one, other = (table[(table.tsne_seed == seed) & (table.embedding == "tsne")].reset_index() for seed in (1004, 6))
    assert one.kl_divergence[0] != other.kl_divergence[0]
    assert (one.knn_accuracy_features == other.knn_accuracy_features).all()
    layer = json.loads((workflow.folder / "results/Small/layers.json").read_text())["layers"]["pixel"]
    for number, split in enumerate(SPLITS):
        score = layer[split]["knn_preservation_10"]
        assert score["mean"] == pytest.approx((one.knn_preservation_10 + other.knn_preservation_10)[number] / 2, 1e-4)
        assert score["low"] < score["mean"] < score["high"]


def test_embeddings_of_other_seeds_start_from_that_of_the_reference_with_the_same_seed(workflow):
    workflow.configure(network={"seeds": [1004, 5]}, tsne={"seeds": [1004, 6]})
    (target,) = targets = ["results/Small/maps/dense3-training5-tsne6.json"]
    plan = workflow.plan(*targets)
    assert plan["embed_tsne"] == 2 and plan["train_network"] == 1
    planned = workflow.run("--dry-run", "--", target)
    (line,) = re.findall(r"^    input: (.*dense3-training5_joint.*)$", planned.stdout + planned.stderr, re.M)
    reference = [f"results/Small/maps/pixel-tsne6{suffix}.npy" for suffix in SUFFIXES]
    assert line.split(", ")[-3:] == reference


def test_second_run_gives_the_same_embedding_to_the_bit(workflow):
    path = workflow.folder / "results/Small/maps/conv1.npy"
    before = path.read_bytes()
    path.unlink()
    (workflow.folder / "results/Small/neighbors/conv1_joint.npz").unlink()
    result = workflow.run("--", "results/Small/maps/conv1.npy")
    assert result.returncode == 0, result.stderr
    assert path.read_bytes() == before


def test_second_run_gives_the_same_network(workflow):
    network = workflow.folder / "results/Small/network"
    before = [(network / name).read_bytes() for name in ("history.csv", "conv1_filters.npy")]
    shutil.rmtree(network)
    result = workflow.run("--", "results/Small/network/conv1_filters.npy")
    assert result.returncode == 0, result.stderr
    assert [(network / name).read_bytes() for name in ("history.csv", "conv1_filters.npy")] == before


@pytest.mark.parametrize(("layers", "held_out"), [(["pixel"], 0), (["pixel", "dense3"], 548)])
def test_without_layers_of_a_network_nothing_is_held_out(fresh, tmp_path, layers, held_out):
    workflow = fresh.copy(tmp_path / "workflow")
    workflow.configure(layers=layers)
    result = workflow.run("--", "results/Digits/data/train_images.npy")
    assert result.returncode == 0, result.stderr
    rows = {
        split: len(np.load(workflow.folder / f"results/Digits/data/{split}_labels.npy"))
        for split in ("train", "validation", "test")
    }
    assert rows["train"] == 1797 - held_out and rows["validation"] + rows["test"] == held_out
