"""The scores in docs/layers.csv are those of the default configuration, within the tolerances of docs/scores.md."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest
import yaml

from helpers import ROOT

SCORES = r"^\| `(\w+)` \|.*\| ([\d.]+) \|$"
TOLERANCES = {name: float(value) for name, value in re.findall(SCORES, (ROOT / "docs/scores.md").read_text(), re.M)}
REFERENCE = pd.read_csv(ROOT / "docs/layers.csv")


def differences(scores: pd.DataFrame) -> list[str]:
    """Where scores, in a table as compare_layers writes it, are farther from the reference's than they may be."""
    found = []
    for _, row in scores.iterrows():
        rows = REFERENCE[(REFERENCE.layer == row.layer) & (REFERENCE.split == row.split)]
        assert len(rows), (row.layer, row.split)
        for name, tolerance in TOLERANCES.items():
            low, high = rows[name].min() - tolerance, rows[name].max() + tolerance
            missing = pd.isna(row[name]) and rows[name].isna().all()
            if not missing and not low <= row[name] <= high:
                found.append(f"{row.layer}, {row.split}: {name} is {row[name]}, not {low:.4f} to {high:.4f}")
    return found


def test_reference_is_whole_and_its_tolerances_can_fail():
    seeds = yaml.safe_load((ROOT / "docs/reference.yaml").read_text())
    networks, maps = (len(seeds[key]["seeds"]) for key in ("network", "tsne"))
    assert len(REFERENCE) == 2 * maps * (1 + 3 * networks)
    assert set(TOLERANCES) <= set(REFERENCE.columns) and len(TOLERANCES) == 11
    others = REFERENCE.assign(layer=REFERENCE.layer.map({"pixel": "conv1", "conv1": "pixel"}).fillna(REFERENCE.layer))
    assert len(differences(others)) > 20, "scores of another layer are not taken for a layer's own"
    without = REFERENCE.assign(continuity=float("nan"))
    assert len(differences(without)) == len(REFERENCE), "a score that is missing is missed"


@pytest.fixture(scope="module")
def of_pixels(tmp_path_factory, fresh) -> pd.DataFrame:
    """The scores of the images themselves, of all of MNIST by the default configuration: what needs no network."""
    workflow = fresh.copy(tmp_path_factory.mktemp("reference") / "workflow")
    (workflow.folder / "digits.yaml").write_text("layers: [pixel]")
    result = workflow.run("--", "results/MNIST/layers.csv")
    assert result.returncode == 0, result.stderr
    return pd.read_csv(workflow.folder / "results/MNIST/layers.csv")


def test_scores_of_the_pixels_are_the_references(of_pixels):
    assert not differences(of_pixels)
    assert of_pixels.rows.tolist() == [50_000, 10_000]


def test_scores_of_a_full_run_are_the_references():
    table, facts = (ROOT / "results/MNIST" / name for name in ("layers.csv", "maps/pixel.json"))
    if not table.exists():
        pytest.skip("there is no full run here: make")
    defaults = yaml.safe_load((ROOT / "config/config.yaml").read_text())["tsne"]
    made = json.loads(facts.read_text())
    if made["images"] != 50_000 or any(
        made[key] != defaults[key] for key in defaults.keys() & made.keys() - {"backend"}
    ):
        pytest.skip("the full run here is not of the default configuration")
    assert not differences(pd.read_csv(table))


def test_readme_quotes_the_reference():
    """Its table of the layers has the means of docs/layers.csv."""
    text = (ROOT / "README.md").read_text()
    summary = json.loads(Path(ROOT / "docs/layers.json").read_text())
    for layer, scores in summary["layers"].items():
        numbers = []
        for name in ("knn_accuracy_features", "knn_accuracy_map"):
            numbers += [scores["train"][name]["mean"], scores["test"][name]["mean"], scores["fall"][name]]
        row = " | ".join(f"{100 * number:.2f}" for number in numbers)
        assert f"| {layer} | {row} |" in text, f"README: {layer} is {row}"
