"""The workflow as a module of another one: by its path, and from a git repository, by the snippet of docs/module.md."""

import json
import re
import subprocess
import textwrap
from pathlib import Path

import pytest
import yaml

from helpers import ROOT, system_program

pytestmark = pytest.mark.slow

SMALL = {
    "layers": ["pixel", "dense3"],
    "network": {"schedule": [{"epochs": 1, "batch_size": 32}]},
    "datasets": {"Digits": {"network": {"schedule": [{"epochs": 1, "batch_size": 32}]}}},
    "tsne": {"exaggerated_iterations": 50, "iterations": 50},
    "figures": {"thumbnails": {"canvas": 500}},
}
FIGURES = {f"Digits_tSNE_{layer}{kind}" for layer in ("pixel", "dense3") for kind in ("", "_embed")}
FIGURES |= {f"Digits_{name}" for name in ("tSNE_layers", "scores", "splits", "similarity", "prediction_depth")}
FIGURES |= {"Digits_flow", "Digits_flow_images", "Digits_training"}


@pytest.fixture(scope="module")
def repository(fresh, tmp_path_factory) -> tuple[Path, str]:
    """A git repository of the workflow, bare, with a tag v1; and its commit."""
    system_program("git", "git")
    work = fresh.copy(tmp_path_factory.mktemp("repository") / "work").folder
    git = ["git", "-C", str(work), "-c", "user.name=test", "-c", "user.email=test@localhost"]
    for command in ("init --quiet", "add --all", "commit --quiet --message=all", "tag v1"):
        subprocess.run([*git, *command.split()], check=True)
    bare = work.with_name("bare")
    subprocess.run(["git", "clone", "--quiet", "--bare", work, bare], check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    return bare, commit


def write_snakefile(folder: Path, *snakefiles: str) -> None:
    """Write a workflow with the snippet of docs/module.md for each of these Snakefiles, and its configuration."""
    page = (ROOT / "docs/module.md").read_text()
    snippet = textwrap.dedent(re.search(r"^    module layers:\n.*?\n(?=\S)", page, re.M | re.S)[0])
    text = 'configfile: "config.yaml"\n\n'
    for number, snakefile in enumerate(snakefiles):
        part, count = re.subn(r"snakefile: .*", f"snakefile: {snakefile}", snippet)
        assert count == 1
        text += re.sub(r"\b(layers(?!\"\])|mnist)", rf"\g<1>{number or ''}", part)  # the names, and the prefix
    folder.mkdir()
    (folder / "Snakefile").write_text(text)
    (folder / "config.yaml").write_text(yaml.safe_dump({"layers": SMALL}))


@pytest.fixture
def check_module(tmp_path, snakemake):
    """A function that makes Digits and its report with the workflow as a module, and checks its figures and commit."""

    def run(snakefile: str, commit: str | None, **variables: str) -> None:
        folder = tmp_path / "use"
        write_snakefile(folder, snakefile)
        result = snakemake(folder, "--", "layers_Digits", **variables)
        assert result.returncode == 0, result.stdout + result.stderr
        (results,) = folder.rglob("results")
        assert {path.stem for path in (results / "figures").iterdir()} == FIGURES
        assert "regl-scatterplot" in (results / "Digits/explorer.html").read_text()
        record = json.loads((results / "Digits/maps/dense3.json").read_text())["provenance"]["workflow"]
        assert (record["commit"], record["changed"]) == (commit, None if commit is None else False)
        result = snakemake(folder, "--report", "report.html", "--", "layers_Digits", **variables)
        assert result.returncode == 0 and "dense3" in (folder / "report.html").read_text(), result.stderr

    return run


def test_module_by_gitfile(repository, check_module):
    bare, commit = repository
    check_module(f'gitfile("{bare.with_name("work")}", path="Snakefile", commit="{commit}")', commit)


def test_module_by_github(repository, check_module, tmp_path):
    """The clone that Snakemake would make exists already, since there is no network."""
    cache = tmp_path / "cache"
    clone = cache / "snakemake/snakemake/source-cache/snakemake-git-cache/github.com/owner/repo"
    clone.parent.mkdir(parents=True)
    clone.symlink_to(repository[0])
    check_module('github("owner/repo", path="Snakefile", tag="v1")', repository[1], XDG_CACHE_HOME=str(cache))


def test_module_by_its_path(fresh, check_module):
    check_module(f'"{fresh.folder}/Snakefile"', None)


def test_second_commit_in_one_workflow_is_refused(repository, tmp_path, snakemake):
    """Python could import the modules of one of them only."""
    work = repository[0].with_name("work")
    git = ["git", "-C", str(work), "-c", "user.name=test", "-c", "user.email=test@localhost"]
    with (work / "scripts/common/text.py").open("a") as file:
        file.write("# changed\n")
    subprocess.run([*git, "commit", "--quiet", "--all", "--message=second"], check=True)
    second = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    for number, commits in enumerate([(second, second), (repository[1], second)]):
        folder = tmp_path / f"use{number}"
        write_snakefile(folder, *(f'gitfile("{work}", path="Snakefile", commit="{commit}")' for commit in commits))
        result = snakemake(folder, "--dry-run", "--", "layers_Digits")
        refusal = "one Snakefile cannot use two commits of this workflow. Use one commit."
        refused = refusal in result.stdout + result.stderr
        assert (result.returncode != 0, refused) == (bool(number), bool(number)), result.stdout + result.stderr
