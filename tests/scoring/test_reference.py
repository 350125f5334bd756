"""The scores in docs/layers.csv are those of the default configuration, and the README quotes them."""

import importlib.util
import json
import subprocess
import sys

import pandas as pd
import pytest
import yaml

from common.scoring.scores import SCORES
from helpers import ROOT

REFERENCE = pd.read_csv(ROOT / "docs/layers.csv")


@pytest.fixture(scope="module")
def find_differences():
    """The function of docs/compare_reference.py."""
    spec = importlib.util.spec_from_file_location("compare_reference", ROOT / "docs/compare_reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return lambda scores: module.find_differences(scores, REFERENCE)


def test_reference_has_a_row_for_each_layer_split_and_pair_of_seeds():
    seeds = yaml.safe_load((ROOT / "docs/reference.yaml").read_text())
    networks, maps = (len(seeds[key]["seeds"]) for key in ("network", "tsne"))
    counts = REFERENCE.groupby("layer").size().to_dict()
    assert counts == {"pixel": 2 * maps} | dict.fromkeys(("conv1", "conv2", "dense3"), 2 * maps * networks)
    assert list(REFERENCE.columns)[-len(SCORES) :] == list(SCORES)


@pytest.mark.parametrize("key", SCORES)
def test_reference_is_in_the_range_of_its_score(key):
    low, high = SCORES[key].range
    assert REFERENCE[key].dropna().between(low, high).all() and REFERENCE[key].notna().any()


def test_reference_agrees_with_itself(find_differences):
    assert find_differences(REFERENCE) == []


def test_scores_of_another_layer_differ(find_differences):
    names = {"pixel": "conv1", "conv1": "pixel"}
    swapped = REFERENCE.assign(layer=REFERENCE.layer.map(names).fillna(REFERENCE.layer))
    differing = {line.split(", ")[0] for line in find_differences(swapped)}
    assert differing == {"pixel", "conv1"} and len(find_differences(swapped)) > 20


@pytest.mark.parametrize("key", SCORES)
def test_score_may_leave_the_range_of_the_seeds_by_its_tolerance(find_differences, key):
    tolerance = SCORES[key].tolerance
    rows = REFERENCE[REFERENCE.layer == "dense3"]
    limits = rows.groupby("split")[key].transform("max")
    assert not find_differences(rows.assign(**{key: limits + 0.99 * tolerance}))
    assert find_differences(rows.assign(**{key: limits + 1.01 * tolerance}))
    limits = rows.groupby("split")[key].transform("min")
    assert not find_differences(rows.assign(**{key: limits - 0.99 * tolerance}))
    assert find_differences(rows.assign(**{key: limits - 1.01 * tolerance}))


def test_missing_score_and_unknown_layer_are_reported(find_differences):
    missing = find_differences(REFERENCE.assign(continuity=float("nan")))
    assert len(missing) == len(REFERENCE) and missing[0].startswith("pixel, train: continuity is nan, expected 0.9")
    added = find_differences(REFERENCE.assign(kl_divergence=1.0))
    assert [line for line in added if "test" in line], "test images have none in the reference"
    assert find_differences(REFERENCE[:1].assign(layer="conv9")) == [
        "conv9, train: the reference has no such layer.",
    ]


def compare(table) -> subprocess.CompletedProcess:
    """Run the command that docs/scores.md gives."""
    text = (ROOT / "docs/scores.md").read_text()
    command = "PYTHONPATH=scripts .venv/bin/python docs/compare_reference.py"
    assert f"    {command} results/MNIST/layers.csv\n" in text
    return subprocess.run(
        [sys.executable, "docs/compare_reference.py", table],
        cwd=ROOT,
        env={"PYTHONPATH": "scripts"},
        capture_output=True,
        text=True,
    )


def test_command_says_whether_a_run_agrees_with_the_reference(tmp_path):
    result = compare(ROOT / "docs/layers.csv")
    assert (result.returncode, result.stdout) == (0, "All scores agree with the reference.\n"), result.stderr
    REFERENCE[:1].assign(continuity=0.5).to_csv(tmp_path / "layers.csv")
    result = compare(tmp_path / "layers.csv")
    assert result.returncode == 1 and result.stdout.startswith("pixel, train: continuity is 0.5000, expected 0.9")


@pytest.mark.slow
def test_scores_of_the_pixels_of_mnist_agree_with_the_reference(fresh, tmp_path, find_differences):
    workflow = fresh.copy(tmp_path / "workflow")
    (workflow.folder / "digits.yaml").write_text("layers: [pixel]")
    result = workflow.run("--", "results/MNIST/layers.csv")
    assert result.returncode == 0, result.stderr
    scores = pd.read_csv(workflow.folder / "results/MNIST/layers.csv")
    assert scores.rows.tolist() == [50_000, 10_000]
    assert not find_differences(scores)


def test_readme_quotes_the_means_of_the_reference():
    text = (ROOT / "README.md").read_text()
    summary = json.loads((ROOT / "docs/layers.json").read_text())
    for layer, scores in summary["layers"].items():
        numbers = []
        for key in ("knn_accuracy_features", "knn_accuracy_map"):
            numbers += [scores["train"][key]["mean"], scores["test"][key]["mean"], scores["train_test_gap"][key]]
        row = " | ".join(f"{100 * number:.2f}" for number in numbers)
        assert f"| {layer} | {row} |" in text


def test_summary_of_the_reference_has_the_means_of_its_table():
    summary = json.loads((ROOT / "docs/layers.json").read_text())
    for (layer, split), rows in REFERENCE.groupby(["layer", "split"]):
        means = rows[list(SCORES)].mean().dropna().to_dict()
        assert {key: spread["mean"] for key, spread in summary["layers"][layer][split].items()} == pytest.approx(
            means, abs=2e-6
        )
