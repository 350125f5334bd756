"""The last lines that a run prints, and the answers to targets and reports that there are not."""

import re
import subprocess
from pathlib import Path

import pytest

from helpers import LAYERS, only_error

pytestmark = pytest.mark.slow

RESULTS = "results/Small"


def last_line(result: subprocess.CompletedProcess) -> str:
    """Return the last line that a user sees."""
    return (result.stdout + result.stderr).rstrip().splitlines()[-1]


def test_last_line_names_what_to_look_at_or_why_the_run_failed(workflow):
    overviews = [f"{RESULTS}/explorer.html", "results/figures/Small_tSNE_layers.png"]
    for path in overviews:
        (workflow.folder / path).unlink()
    result = workflow.run()
    assert last_line(result) == f"To look at: {', '.join(overviews)}"
    figure = "results/figures/Small_tSNE_conv1.eps"
    (workflow.folder / figure).unlink()
    assert last_line(workflow.run("--", figure)) == f"To look at: {figure}"
    (workflow.folder / f"{RESULTS}/maps/conv1.json").write_text("{")
    (workflow.folder / f"{RESULTS}/methods.md").unlink()
    result = workflow.run("--rerun-triggers", "input", "--", f"{RESULTS}/methods.md")
    assert only_error(result).startswith(f"{RESULTS}/maps/conv1.json is damaged")


@pytest.mark.parametrize(
    ("target", "hint"),
    [
        ("Digitz", "Did you mean Digits?"),
        ("scatter", "Did you mean scatters?"),
        ("results/figures/Small_tSNE_con1.eps", "Did you mean results/figures/Small_tSNE_conv1.eps?"),
        ("xyzzy", "Available: MNIST, FashionMNIST, Digits, Small, all, scatters, thumbnails, filters, comparisons."),
    ],
)
def test_unknown_target_is_answered_with_the_nearest(finished, target, hint):
    result = finished.run("--dry-run", "--", target)
    assert result.returncode != 0
    assert f"there is no target {target}. {hint}" in result.stdout + result.stderr


def test_report_of_an_incomplete_data_set_is_answered_with_a_command_that_works(workflow):
    workflow.configure(make=["Digits"])
    result = workflow.run("--report", "report.html")
    pattern = r"Digits is not complete yet, .* For a report of what exists: snakemake (--report .* -- Small)$"
    command = re.search(pattern, result.stderr, re.M)
    assert result.returncode != 0 and command, result.stderr
    result = workflow.run(*command[1].split())
    assert result.returncode == 0, result.stderr
    assert all(layer in Path(workflow.folder / "report.html").read_text() for layer in LAYERS)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"figures": {"palette": ["red", "blue"]}}, "figures.palette: 2 colors for the 10 classes of Digits"),
        ({"figures": {"palette": "Set1"}}, "figures.palette: 9 colors for the 10 classes of Digits"),
        ({"network": {"filters": [2, 2, 2, 2]}, "layers": ["conv1"]}, "network.filters: 4 convolutions, each of which"),
        ({"sample": 30}, "datasets.Digits.sample: 30 is too few. The scores need at least 31 images."),
        ({"classes": ["a", "b"]}, "datasets.Digits.classes: 2 names for 10 classes"),
    ],
)
def test_settings_that_do_not_fit_the_data_are_refused_before_any_job(fresh, tmp_path, changes, line):
    workflow = fresh.copy(tmp_path / "workflow")
    workflow.configure(datasets={"Digits": {"digits": True} | changes})
    result = workflow.run("--dry-run", "--", "Digits")
    assert result.returncode != 0 and f"configuration: {line}" in result.stdout + result.stderr
    assert workflow.run("--dry-run").returncode == 0, "other data sets are not affected"
