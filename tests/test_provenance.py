"""What a run says of itself: version and commit, methods, the last lines on the terminal, targets that are none."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from write_methods import (
    describe_data,
    describe_neighbors,
    describe_network,
    describe_scores,
    describe_tsne,
    describe_versions,
    listed,
    write_methods,
)

from common.provenance import VARIABLE, provenance
from common.provenance_text import describe
from helpers import LAYERS, ROOT, Workflow, only_error, system_program

RESULTS = "results/Small"


def test_version_stands_in_one_place_and_the_changelog_begins_with_it():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    (first, *_) = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert first == f"{citation['version']} ({citation['date-released']})"


def test_record_has_what_the_workflow_says_and_the_versions(monkeypatch):
    said = {"workflow": {"version": "9", "commit": "a" * 40, "changed": True}, "configurations": {"Mine": "b" * 64}}
    monkeypatch.setenv(VARIABLE, json.dumps(said))
    record = provenance("Mine", "numpy")
    assert record["workflow"] == said["workflow"] and record["configuration"] == "b" * 64
    assert set(record["versions"]) == {"python", "numpy"}
    assert describe(record) == f"version 9, commit {'a' * 12} with changes, configuration {'b' * 12}"
    monkeypatch.delenv(VARIABLE)
    assert describe(provenance("Mine")) == "version unknown, commit unknown"


def made_by(workflow: Workflow, layer: str) -> dict:
    return json.loads((workflow.folder / f"{RESULTS}/maps/{layer}.json").read_text())["provenance"]["workflow"]


def test_results_say_which_commit_made_them_and_a_commit_makes_nothing_stale(workflow):
    system_program("git", "git")
    version = yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"]
    assert made_by(workflow, "pixel") | {"snakemake": None} == {
        "version": version,
        "commit": None,
        "changed": None,
        "snakemake": None,
    }

    def git(*command: str) -> str:
        command = ("git", "-c", "user.name=test", "-c", "user.email=test@localhost", *command)
        return subprocess.check_output(command, cwd=workflow.folder, text=True).strip()

    git("init", "--quiet")
    (workflow.folder / ".gitignore").write_text("__pycache__/\n")
    git("add", "Snakefile", "rules", "scripts", "envs")
    git("commit", "--quiet", "--message", "all")
    assert workflow.plan() == {}
    commit = git("rev-parse", "HEAD")
    for changed in (False, True):
        if changed:
            with (workflow.folder / "scripts/plot_filters.py").open("a") as file:
                file.write("# changed\n")
        for name in ("maps/pixel.json", "maps/pixel.npy", "summary.html", "explorer.html"):
            (workflow.folder / RESULTS / name).unlink()
        targets = [f"{RESULTS}/{name}" for name in ("maps/pixel.json", "summary.html", "explorer.html")]
        result = workflow.run("--rerun-triggers", "mtime", "--", *targets)
        assert result.returncode == 0, result.stderr
        assert made_by(workflow, "pixel")["commit"] == commit and made_by(workflow, "pixel")["changed"] == changed
        for name in ("summary.html", "explorer.html"):
            page = (workflow.folder / RESULTS / name).read_text()
            assert f"version {version}, commit {commit[:12]}{' with changes' if changed else ''}, configuration" in page


def test_configuration_of_a_record_changes_with_it_alone(workflow):
    def configuration() -> str:
        for suffix in ("json", "npy"):
            (workflow.folder / f"{RESULTS}/maps/pixel.{suffix}").unlink()
        assert workflow.run("--rerun-triggers", "mtime", "--", f"{RESULTS}/maps/pixel.json").returncode == 0
        return json.loads((workflow.folder / f"{RESULTS}/maps/pixel.json").read_text())["provenance"]["configuration"]

    before = json.loads((workflow.folder / f"{RESULTS}/maps/pixel.json").read_text())["provenance"]["configuration"]
    assert configuration() == before
    workflow.configure(figures={"filters": {"size": 3}})
    assert configuration() != before


def test_methods_say_what_was_used(finished):
    text = (finished.folder / f"{RESULTS}/methods.md").read_text()
    network = json.loads((finished.folder / f"{RESULTS}/network/network.json").read_text())
    for said in (
        "1,297 training images, 250 validation images and 250 test images of 10 classes, each of 28 x 28 pixels",
        f"({network['parameters']:,} parameters), with seed 1004",
        "for 3 epochs with batches of 32 and 1 epoch with batches of 64.",
        "the pixels, the output of conv1, the output of conv2 and the output of dense3",
        "the 45 nearest neighbors by Euclidean distance, by exhaustive search",
        "Perplexity was 15.",
        "(of 1,297 rows), scaled to a standard deviation of 0.0001",
        "on the CPU, the repulsion was summed over all pairs",
        "250 iterations with exaggeration 12, then 500 iterations without",
        "The 250 test images were placed",
        "tensorflow 2.21.0",
    ):
        assert said in text, said
    assert text.count("\n- ") == 5 and "Jégou" not in text and "Linderman" not in text, "only what is cited"


def test_methods_of_what_differs():
    assert listed(["a"]) == "a" and listed(["a", "b", "c"]) == "a, b and c"
    settings = {"classes": 0, "sample": 500, "kind": "vectors", "trained": False}
    rows = {"train": 500, "validation": 0, "test": 0}
    text = describe_data("Mine", settings, rows, ())
    assert "Mine has 500 training vectors without labels." in text and "at most 500 were used, drawn at random." in text
    adopted = {"parameters": 650, "input": [224, 224, 3], "scaling": "tf"}
    text = describe_network({"model": "keras.applications.MobileNetV2"}, [adopted])
    assert "the network keras.applications.MobileNetV2 (650 parameters) as it is" in text and "from -1 to 1" in text
    trained = {"parameters": 7, "seed": 1, "schedule": [{"epochs": 1, "batch_size": 2}], "learning_rate": 0.01}
    text = describe_network({"model": "there/own.py"}, [trained, trained | {"seed": 2}])
    assert "the network that own.py builds (7 parameters), 2 times, with seeds 1 and 2" in text
    assert describe_network({"model": None}, []) == ""
    search = {"method": "projected", "recall": 0.99959, "k": 90}
    searches = [{"neighbors": search | {"recall": recall}, "backend": "openTSNE"} for recall in (0.99959, 1.0)]
    assert "was at least 0.9995." in describe_neighbors(searches)
    assert "test images" not in describe_scores(0, 10, False) and "silhouettes" not in describe_scores(5, 0, False)
    assert "5 nearest landmarks" in describe_scores(5, 10, True)
    text = describe_neighbors([{"neighbors": search, "backend": "tsnecuda", "landmarks": 50}])
    assert "the 90 nearest landmarks" in text and "tsnecuda found the neighbors itself" in text
    facts = {
        "backend": "tsnecuda",
        "version": "3.0.2",
        "perplexity": 30,
        "start": {"principal_components": 2, "of_rows": 10, "standard_deviation": 1e-4, "jitter": 1e-6},
        "exaggerated_iterations": 250,
        "exaggeration": 12,
        "iterations": 500,
        "learning_rates": [10, 120],
        "momentum": 0.8,
        "kl_divergence": 1.234,
    }
    wide = facts | {"backend": "openTSNE", "version": "1.0.4", "repulsion": "grid"}
    wide["start"] = facts["start"] | {"of_rows": 5}
    text = describe_tsne([facts, wide], [1, 2])
    assert "(of 5 to 10 rows)" in text and "on the CPU, the repulsion was interpolated on a grid" in text
    assert "openTSNE 1.0.4 and tsnecuda 3.0.2, Poličar et al. 2024 and Chan et al. 2019" in text
    assert "Seeds were 1 and 2." in text and "1.23 to 1.23" in text
    record = {"workflow": {}, "configuration": None, "versions": {"numpy": "1"}}
    assert "numpy 1 and 2." in describe_versions([record, record | {"versions": {"numpy": "2"}}])
    page = write_methods(["As Rousseeuw 1987 has it.", "", "More."])
    assert page.startswith("# Methods\n\nAs Rousseeuw 1987 has it.\n\nMore.\n") and page.count("\n- ") == 1


def last_line(result: subprocess.CompletedProcess) -> str:
    return (result.stdout + result.stderr).rstrip().splitlines()[-1]


def test_last_line_names_what_to_look_at_or_why_it_failed(workflow):
    shown = [f"{RESULTS}/explorer.html", "results/figures/Small_tSNE_layers.png"]
    for path in shown:
        (workflow.folder / path).unlink()
    result = workflow.run()
    assert last_line(result) == f"To look at: {', '.join(shown)}"
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
        ("Digitz", "did you mean Digits?"),
        ("scatter", "did you mean scatters?"),
        ("results/figures/Small_tSNE_con1.eps", "did you mean results/figures/Small_tSNE_conv1.eps?"),
        ("xyzzy", "there is MNIST, FashionMNIST, Digits, Small, all, scatters, thumbnails, filters, comparisons"),
    ],
)
def test_target_that_is_not_there_is_answered_with_the_nearest(finished, target, hint):
    result = finished.run("--dry-run", "--", target)
    assert result.returncode != 0 and f"there is no target {target}; {hint}" in result.stdout + result.stderr


def test_report_of_what_is_not_made_is_answered_with_the_command_that_works(finished, tmp_path):
    workflow = finished.copy(tmp_path / "workflow")
    workflow.configure(make=["Digits"])
    result = workflow.run("--report", "report.html")
    said = re.search(r"^Digits is not made yet, .*: snakemake (--report .* -- Small)$", result.stderr, re.M)
    assert result.returncode != 0 and said, result.stderr
    result = workflow.run(*said[1].split())
    assert result.returncode == 0, result.stderr
    assert all(layer in Path(workflow.folder / "report.html").read_text() for layer in LAYERS)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"figures": {"palette": ["red", "blue"]}}, "figures.palette: 2 colors for the 10 classes of Digits"),
        ({"figures": {"palette": "Set1"}}, "figures.palette: 9 colors for the 10 classes of Digits"),
        ({"network": {"filters": [2, 2, 2, 2]}, "layers": ["conv1"]}, "network.filters: 4 convolutions, each of which"),
        ({"sample": 30 + 1, "tsne": {"perplexity": 5}}, "network.schedule: 31 images (datasets.Digits.sample) do not"),
        ({"classes": ["a", "b"]}, "datasets.Digits.classes: 2 names for 10 classes"),
    ],
)
def test_what_can_be_known_is_refused_before_anything_runs(fresh, tmp_path, changes, line):
    workflow = fresh.copy(tmp_path / "workflow")
    workflow.configure(datasets={"Digits": {"digits": True} | changes})
    result = workflow.run("--dry-run", "--", "Digits")
    assert result.returncode != 0 and f"configuration: {line}" in result.stdout + result.stderr
    assert workflow.run("--dry-run").returncode == 0, "of another data set it is no matter"
