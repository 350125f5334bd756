"""Damaged files: the rule that reads one names it, and says how to rebuild it."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers import only_error

pytestmark = pytest.mark.slow

RESULTS = "results/Small"


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:1000])


def replace(path: Path) -> None:
    path.write_text("other content")


def shorten(path: Path) -> None:
    np.save(path, np.load(path)[:-7])


def fewer_neighbors(path: Path) -> None:
    neighbors = dict(np.load(path))
    np.savez(path, **{name: neighbors[name][:-7] for name in ("indices", "distances")})


def shorten_table(path: Path) -> None:
    pd.read_csv(path)[:-7].to_csv(path, index=False)


@pytest.mark.parametrize(
    ("path", "damage", "target"),
    [
        ("data/train_images.npy", truncate, "features/pixel.npy"),
        ("data/train_labels.npy", shorten, "network/network.keras"),
        ("network/network.keras", replace, "features/conv2.npy"),
        ("network/network.keras", truncate, "network/conv1_filters.npy"),
        ("features/dense3.npy", truncate, "neighbors/dense3.npz"),
        ("neighbors/dense3_joint.npz", truncate, "maps/dense3.npy"),
        ("neighbors/dense3_validation.npz", truncate, "scores/dense3_knn.csv"),
        ("network/conv1_filters.npy", replace, "../figures/Small_conv1_filters.eps"),
        ("maps/pixel.npy", replace, "../figures/Small_tSNE_pixel.eps"),
        ("maps/pixel.npy", shorten, "../figures/Small_tSNE_pixel.eps"),
        ("data/train_labels.npy", shorten, "../figures/Small_tSNE_pixel_embed.eps"),
        ("maps/pixel_validation.npy", shorten, "maps/dense3.npy"),
        ("neighbors/dense3_joint.npz", fewer_neighbors, "maps/dense3_test.npy"),
        ("neighbors/dense3_test.npz", fewer_neighbors, "scores/dense3.json"),
        ("scores/conv1.json", truncate, "layers.csv"),
        ("scores/conv1.npz", truncate, "../figures/Small_flow.eps"),
        ("scores/conv1_features.npz", truncate, "knn.csv"),
        ("network/predictions.csv", shorten_table, "maps.csv"),
        ("network/history.csv", replace, "../figures/Small_training.eps"),
    ],
)
def test_damaged_file_is_named_by_the_rule_that_reads_it(workflow, path, damage, target):
    target = os.path.normpath(f"{RESULTS}/{target}")
    damage(workflow.folder / RESULTS / path)
    (workflow.folder / target).unlink()
    error = only_error(workflow.run("--rerun-triggers", "input", "--", target))
    assert f"{RESULTS}/{path}" in error and "snakemake --cores all --force " in error
    assert not (workflow.folder / target).exists()

    command = error.split("Rebuild: snakemake --cores all ")[1].split()
    rebuilt = workflow.run(command[0], "--rerun-triggers", "input", "--", *command[1:])
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert workflow.run("--", target).returncode == 0, "the command in the message mends it"
