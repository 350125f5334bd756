"""Runs that are repeated, and runs with several seeds."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

pytestmark = pytest.mark.slow

SPLITS = ("train", "validation", "test")


def test_scores_of_several_seeds_are_in_the_table_with_their_seed(workflow):
    workflow.configure(layers=["pixel"], tsne={"seeds": [1004, 6]})
    result = workflow.run("--", "results/Small/layers.csv")
    assert result.returncode == 0, result.stderr
    table = pd.read_csv(workflow.folder / "results/Small/layers.csv")
    assert table.tsne_seed.tolist() == [1004, 1004, 6, 6]
    assert table.kl_divergence[0] != table.kl_divergence[2]
    spread = json.loads((workflow.folder / "results/Small/layers.json").read_text())["layers"]["pixel"]["train"]
    assert spread["kl_divergence"]["low"] < spread["kl_divergence"]["mean"] < spread["kl_divergence"]["high"]


def test_second_run_gives_the_same_embedding_to_the_bit(workflow):
    path = workflow.folder / "results/Small/maps/conv1.npy"
    before = path.read_bytes()
    path.unlink()
    (workflow.folder / "results/Small/neighbors/conv1.npz").unlink()
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
