"""The provenance of the results of a run: the commit, and the configuration."""

import json
import subprocess

import pytest
import yaml

from helpers import ROOT, Workflow, system_program

pytestmark = pytest.mark.slow

RESULTS = "results/Small"


def read_provenance(workflow: Workflow, layer: str) -> dict:
    """Return the provenance of a layer's embedding."""
    return json.loads((workflow.folder / f"{RESULTS}/maps/{layer}.json").read_text())["provenance"]


def rebuild(workflow: Workflow, *names: str) -> None:
    """Delete results, and make them and nothing else that is stale."""
    for name in (*names, "maps/pixel.npy"):
        (workflow.folder / RESULTS / name).unlink()
    result = workflow.run("--rerun-triggers", "mtime", "--", *(f"{RESULTS}/{name}" for name in names))
    assert result.returncode == 0, result.stderr


def test_results_name_their_commit_and_a_commit_makes_nothing_stale(workflow):
    system_program("git", "git")
    version = yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"]
    record = read_provenance(workflow, "pixel")["workflow"]
    assert record | {"snakemake": None} == {"version": version, "commit": None, "changed": None, "snakemake": None}

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
        rebuild(workflow, "maps/pixel.json", "summary.html", "explorer.html")
        record = read_provenance(workflow, "pixel")["workflow"]
        assert (record["commit"], record["changed"]) == (commit, changed)
        for name in ("summary.html", "explorer.html"):
            page = (workflow.folder / RESULTS / name).read_text()
            assert f"version {version}, commit {commit[:12]}{' with changes' if changed else ''}, configuration" in page


def test_recorded_configuration_changes_with_the_settings_only(workflow):
    before = read_provenance(workflow, "pixel")["configuration"]
    rebuild(workflow, "maps/pixel.json")
    assert read_provenance(workflow, "pixel")["configuration"] == before
    workflow.configure(figures={"filters": {"size": 3}})
    rebuild(workflow, "maps/pixel.json")
    assert read_provenance(workflow, "pixel")["configuration"] != before
