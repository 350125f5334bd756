"""The workflow run from a user's own folder, and folders with odd names."""

import numpy as np
import pytest
import yaml
from sklearn.datasets import load_digits

pytestmark = pytest.mark.slow


@pytest.fixture
def count_labels(fresh, user_folder, snakemake):
    """A function that makes the training labels of the data set Mine in the user's folder, and counts them."""

    def run(*arguments: str) -> int:
        snakefile = ("--snakefile", str(fresh.folder / "Snakefile"))
        result = snakemake(user_folder, *snakefile, *arguments, "--", "results/Mine/data/train_labels.npy")
        assert result.returncode == 0, result.stderr
        (path,) = user_folder.rglob("results/Mine/data/train_labels.npy")
        return len(np.load(path))

    return run


def test_defaults_are_those_beside_the_snakefile(fresh, user_folder, snakemake):
    snakefile = str(fresh.folder / "Snakefile")
    result = snakemake(user_folder, "--dry-run", "--snakefile", snakefile, "--", "Digits")
    assert result.returncode == 0 and "Digits_tSNE_conv2.eps" in result.stdout + result.stderr, result.stderr


def test_paths_in_a_configuration_are_relative_to_the_current_folder(count_labels):
    assert count_labels("--configfile", "mine.yaml") == 90


def test_configuration_in_the_current_folder_is_read_without_being_named(user_folder, count_labels):
    (user_folder / "config").mkdir()
    (user_folder / "mine.yaml").rename(user_folder / "config/config.yaml")
    assert count_labels() == 90


def test_paths_are_relative_to_the_directory_that_is_named(user_folder, count_labels):
    there = user_folder / "there"
    there.mkdir()
    (user_folder / "images.npy").rename(there / "images.npy")
    assert count_labels("--configfile", "mine.yaml", "--directory", "there") == 90
    assert {path.name for path in user_folder.iterdir()} >= {"there", "mine.yaml"}
    assert not (user_folder / "results").exists()


def test_spaces_and_umlauts_in_paths_work(fresh, tmp_path, snakemake):
    workflow = fresh.copy(tmp_path / "with a space, and ümlauts")
    home = tmp_path / "home"
    folder = home / "my data, größer"
    folder.mkdir(parents=True)
    digits = load_digits()
    np.savez(folder / "digits é.npz", x_train=digits.images.astype(np.uint8)[:300], y_train=digits.target[:300])
    settings = {
        "make": ["Mine"],
        "datasets": {"Mine": {"npz": "~/my data, größer/digits é.npz", "layers": ["pixel"]}},
        "tsne": {"exaggerated_iterations": 50, "iterations": 50},
        "figures": {"thumbnails": {"canvas": 500}},
    }
    (workflow.folder / "mine.yaml").write_text(yaml.safe_dump(settings))
    result = snakemake(workflow.folder, "--configfile", "mine.yaml", HOME=str(home))
    assert result.returncode == 0, result.stderr
    figures = {path.stem for path in (workflow.folder / "results/figures").iterdir()}
    names = {"tSNE_pixel", "tSNE_pixel_embed", "tSNE_layers", "scores", "splits", "similarity", "prediction_depth"}
    assert figures == {f"Mine_{name}" for name in (*names, "flow", "flow_images")}
    arguments = ("--configfile", "mine.yaml", "--report", "report.html")
    assert snakemake(workflow.folder, *arguments, HOME=str(home)).returncode == 0


def test_checkout_with_braces_in_its_path_is_refused(fresh, tmp_path, snakemake):
    workflow = fresh.copy(tmp_path / "in {braces}")
    result = snakemake(workflow.folder, "--dry-run")
    message = f"Snakemake reads braces as wildcards. Rename the folder {workflow.folder}/rules."
    assert result.returncode != 0 and message in result.stdout + result.stderr
