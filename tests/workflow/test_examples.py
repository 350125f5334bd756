"""The examples of docs/your-own.md, run as they stand."""

import json
import os
import re
import subprocess
import sys

import pandas as pd
import pytest
import yaml

from helpers import ROOT

SECTIONS = {
    section.splitlines()[0]: section
    for section in re.split(r"^## ", (ROOT / "docs/your-own.md").read_text(), flags=re.M)[1:]
}
MIN_ACCURACY = {
    "Your images": {"pixel": 0.9, "conv1": 0.9, "conv2": 0.9, "dense3": 0.9},
    "Your model": {"pixel": 0.9, "fine": 0.4, "coarse": 0.5, "hidden": 0.9},
    "Your PyTorch model": {"pixel": 0.9, "conv1": 0.9, "conv2": 0.9, "hidden": 0.9},
    "Your vectors": {"counts": 0.6, "logarithms": 0.4, "components": 0.8},
}
NEEDS_TORCH = "Your PyTorch model"


def test_each_section_has_an_example():
    assert list(SECTIONS) == list(MIN_ACCURACY)


def find_python(title: str) -> str:
    """Return the Python that runs the script of an example; without PyTorch, the test of its example is skipped."""
    if title != NEEDS_TORCH:
        return sys.executable
    python = os.environ.get("TORCH_PYTHON", sys.executable)
    if subprocess.run([python, "-c", "import torch"], capture_output=True).returncode:
        pytest.skip("PyTorch is missing. Set TORCH_PYTHON to a Python that has it")
    return python


@pytest.mark.slow
@pytest.mark.parametrize(
    "title",
    [pytest.param(title, marks=[pytest.mark.torch] * (title == NEEDS_TORCH)) for title in MIN_ACCURACY],
)
def test_example_runs_as_it_stands(title, fresh, tmp_path):
    section, expected, python = SECTIONS[title], MIN_ACCURACY[title], find_python(title)
    workflow = fresh.copy(tmp_path / "workflow")
    script, configuration = (
        re.search(rf"^```{kind}\n(.*?)^```", section, re.M | re.S)[1] for kind in ("python", "yaml")
    )
    subprocess.run([python, "-c", script], cwd=workflow.folder, check=True)
    command = re.search(r"^    (snakemake .*)", section, re.M)[1].replace("--cores all", "--cores 2").split()
    (workflow.folder / command[-1]).write_text(configuration)
    result = subprocess.run([sys.executable, "-m", *command], cwd=workflow.folder, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr

    (name,) = yaml.safe_load(configuration)["make"]
    table = pd.read_csv(workflow.folder / f"results/{name}/layers.csv")
    table = table[table.epoch.isna()]
    accuracy = table[(table.split == "train") & (table.embedding == "tsne")].set_index("layer").knn_accuracy_map
    assert list(accuracy.index) == list(expected)
    assert all(accuracy[layer] > least for layer, least in expected.items()), accuracy
    for layer in expected:
        assert (workflow.folder / f"results/figures/{name}_tSNE_{layer}.eps").exists()
        assert (workflow.folder / f"results/figures/{name}_tSNE_{layer}_embed.eps").exists() == (name != "Cells")
    for mentioned in re.findall(r"`(results/[\w./]+)`", section):
        assert (workflow.folder / mentioned).exists(), mentioned
    if title == "Your vectors":
        assert accuracy["components"] > accuracy["counts"] > accuracy["logarithms"], "as the text says"
    if title == NEEDS_TORCH:
        rows = table[(table.split == "test") & (table.embedding == "tsne")].set_index("layer")
        assert rows.network_accuracy.isna().tolist() == [True, False, False, False]
        assert (rows.knn_accuracy_features > 0.85).all() and rows.network_accuracy.dropna().between(0.85, 1).all()
        layers = json.loads((workflow.folder / f"results/{name}/layers.json").read_text())["layers"]
        learned = layers["hidden"]["learned"]["test"]["linear_probe_accuracy"]
        assert learned["mean"] > 0 and "given" in layers["conv1"]
