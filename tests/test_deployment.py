"""The workflow used from elsewhere: from a folder of one's own, and as a module from a git repository."""

import json
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import yaml
from sklearn.datasets import load_digits

from helpers import ROOT, system_program

SMALL = {
    "layers": ["pixel", "dense3"],
    "network": {"schedule": [{"epochs": 1, "batch_size": 32}]},
    "datasets": {"Digits": {"network": {"schedule": [{"epochs": 1, "batch_size": 32}]}}},
    "tsne": {"exaggerated_iterations": 50, "iterations": 50},
    "figures": {"thumbnails": {"canvas": 500}},
}
MADE = {f"Digits_tSNE_{layer}{kind}" for layer in ("pixel", "dense3") for kind in ("", "_embed")}
MADE |= {"Digits_tSNE_layers", "Digits_scores", "Digits_training"}


def snakemake(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess:
    """Run Snakemake in a folder."""
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=os.environ | variables)


def labels_made(folder: Path, *arguments: str) -> int:
    """How many labels of training images of the data set Mine there are, once they are made."""
    result = snakemake(folder, *arguments, "--", "results/Mine/data/train_labels.npy")
    assert result.returncode == 0, result.stderr
    return len(np.load(next(folder.rglob("results/Mine/data/train_labels.npy"))))


@pytest.fixture
def elsewhere(fresh, tmp_path) -> tuple[str, Path]:
    """The path of the Snakefile, and a folder of one's own with images, and a configuration that names them."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    images = np.random.default_rng(0).integers(0, 256, (90, 8, 8)).astype(np.uint8)
    np.save(folder / "images.npy", images)
    (folder / "mine.yaml").write_text("datasets: {Mine: {npy: {images: images.npy}, layers: [pixel]}}\n")
    return str(fresh.folder / "Snakefile"), folder


def test_defaults_are_those_beside_the_snakefile(elsewhere):
    snakefile, folder = elsewhere
    result = snakemake(folder, "--dry-run", "--snakefile", snakefile, "--", "Digits")
    assert result.returncode == 0 and "Digits_tSNE_conv2.eps" in result.stdout + result.stderr, result.stderr


def test_own_configuration_changes_single_keys_and_its_paths_are_of_where_one_stands(elsewhere):
    snakefile, folder = elsewhere
    assert labels_made(folder, "--snakefile", snakefile, "--configfile", "mine.yaml") == 90


def test_own_configuration_is_found_in_its_usual_place(elsewhere):
    snakefile, folder = elsewhere
    (folder / "config").mkdir()
    (folder / "mine.yaml").rename(folder / "config/config.yaml")
    assert labels_made(folder, "--snakefile", snakefile) == 90


def test_paths_are_of_the_directory_that_is_named(elsewhere):
    snakefile, folder = elsewhere
    there = folder / "there"
    there.mkdir()
    (folder / "images.npy").rename(there / "images.npy")
    assert labels_made(folder, "--snakefile", snakefile, "--configfile", "mine.yaml", "--directory", "there") == 90
    assert {path.name for path in folder.iterdir()} >= {"there", "mine.yaml"} and not (folder / "results").exists()


def test_odd_paths_of_the_checkout_and_of_the_data_work(fresh, tmp_path):
    workflow = fresh.copy(tmp_path / "with a space, and ümlauts")
    home = tmp_path / "home"
    folder = home / "my data, größer"
    folder.mkdir(parents=True)
    digits = load_digits()
    np.savez(folder / "digits é.npz", x_train=digits.images.astype(np.uint8)[:300], y_train=digits.target[:300])
    mine = {"npz": "~/my data, größer/digits é.npz", "layers": ["pixel"]}
    (workflow.folder / "mine.yaml").write_text(yaml.safe_dump({**SMALL, "make": ["Mine"], "datasets": {"Mine": mine}}))
    result = snakemake(workflow.folder, "--configfile", "mine.yaml", HOME=str(home))
    assert result.returncode == 0, result.stderr
    figures = {path.stem for path in (workflow.folder / "results/figures").iterdir()}
    assert figures == {"Mine_tSNE_pixel", "Mine_tSNE_pixel_embed", "Mine_tSNE_layers", "Mine_scores"}
    arguments = ("--configfile", "mine.yaml", "--report", "report.html")
    assert snakemake(workflow.folder, *arguments, HOME=str(home)).returncode == 0


def test_checkout_with_braces_in_its_path_is_refused(fresh, tmp_path):
    workflow = fresh.copy(tmp_path / "in {braces}")
    result = snakemake(workflow.folder, "--dry-run")
    assert result.returncode != 0
    assert f"{workflow.folder}/rules has braces in it, which Snakemake would fill in" in result.stdout + result.stderr


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


def use(folder: Path, snakefile: str, commit: str | None, **variables: str) -> None:
    """Make Digits, and the report of it, by a workflow that is the snippet of the README, and look at both."""
    readme = (ROOT / "README.md").read_text()
    snippet = textwrap.dedent(re.search(r"^    module layers:\n.*?\n(?=\S)", readme, re.M | re.S)[0])
    snippet = re.sub(r"snakefile: .*", f"snakefile: {snakefile}", snippet)
    folder.mkdir()
    (folder / "Snakefile").write_text(f'configfile: "config.yaml"\n\n{snippet}')
    (folder / "config.yaml").write_text(yaml.safe_dump({"layers": SMALL}))
    result = snakemake(folder, "--", "layers_Digits", **variables)
    assert result.returncode == 0, result.stdout + result.stderr
    (results,) = folder.rglob("results")
    assert {path.stem for path in (results / "figures").iterdir()} == MADE
    assert "createScatterplot" in (results / "Digits/explorer.html").read_text()
    made_by = json.loads((results / "Digits/maps/dense3.json").read_text())["provenance"]["workflow"]
    assert made_by["commit"] == commit and made_by["changed"] == (None if commit is None else False)
    result = snakemake(folder, "--report", "report.html", "--", "layers_Digits", **variables)
    assert result.returncode == 0 and "dense3" in (folder / "report.html").read_text(), result.stderr


def test_module_by_gitfile(repository, tmp_path):
    bare, commit = repository
    use(tmp_path / "use", f'gitfile("{bare.with_name("work")}", path="Snakefile", commit="{commit}")', commit)


def test_module_by_github(repository, tmp_path):
    """The clone that Snakemake would make is there already, since there is no network."""
    cache = tmp_path / "cache"
    clone = cache / "snakemake/snakemake/source-cache/snakemake-git-cache/github.com/owner/repo"
    clone.parent.mkdir(parents=True)
    clone.symlink_to(repository[0])
    use(tmp_path / "use", 'github("owner/repo", path="Snakefile", tag="v1")', repository[1], XDG_CACHE_HOME=str(cache))


def test_module_by_its_path(fresh, tmp_path):
    use(tmp_path / "use", f'"{fresh.folder}/Snakefile"', None)
