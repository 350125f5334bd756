"""A small real data set, and whole runs of the workflow on it."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import yaml
from download_dataset import IDX_FILES, pairs_from_parts, write_idx
from skimage.transform import resize
from sklearn.datasets import load_digits

from common.mnist_pickle import write_pairs

ROOT = Path(__file__).parents[1]
WORKFLOW = ("Snakefile", "rules", "scripts", "config", "envs", "profiles")
LAYERS = ("pixel", "conv1", "conv2", "dense3")
FIGURES = {"Digits_conv1_filters"} | {f"Digits_tSNE_{layer}{kind}" for layer in LAYERS for kind in ("", "_embed")}


def system_program(name: str, package: str) -> str:
    """The path of a program that pip cannot install. Without it a test is skipped, in CI it fails."""
    path = shutil.which(name)
    if path is None:
        message = f"{name} is missing: apt-get install {package}"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    return path


@pytest.fixture(scope="session")
def parts() -> dict[str, np.ndarray]:
    """scikit-learn's 1,797 digits, brought to MNIST's size and form: 1,547 for training and validation, 250 to test."""
    digits = load_digits()
    small = np.pad(digits.images / 16, ((0, 0), (1, 1), (1, 1)))
    images = np.stack([resize(image, (28, 28), order=1) for image in small])
    images, labels = np.rint(images * 255).astype(np.uint8), digits.target.astype(np.uint8)
    values = (images[:1547], labels[:1547], images[1547:], labels[1547:])
    return dict(zip(IDX_FILES, values, strict=True))


@pytest.fixture(scope="session")
def sha256(parts) -> dict[str, str]:
    return {part: hashlib.sha256(write_idx(array)).hexdigest() for part, array in parts.items()}


@pytest.fixture(scope="session")
def pairs(parts) -> list[tuple[np.ndarray, np.ndarray]]:
    return pairs_from_parts(parts, validation_size=250)


class Workflow:
    """A copy of the workflow in a folder of its own, configured for the small data set."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *arguments: str) -> subprocess.CompletedProcess:
        """Run the real Snakemake."""
        command = [sys.executable, "-m", "snakemake", "--cores", "2", "--configfile", "digits.yaml", *arguments]
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, env=environment)

    def plan(self, *targets: str) -> Counter[str]:
        """How many jobs of each rule a dry run plans, target rules left out."""
        result = self.run("--dry-run", "--", *targets)
        assert result.returncode == 0, result.stdout + result.stderr
        if "Nothing to be done" in result.stdout + result.stderr:
            return Counter()
        table = re.search(r"^job +count\n[- ]+\n(.*?)^total", result.stdout + result.stderr, re.M | re.S)
        jobs = Counter({name: int(count) for name, count in (line.split() for line in table[1].splitlines())})
        return jobs - Counter(dict.fromkeys(("all", "scatters", "thumbnails", "filters"), 1))

    def configure(self, **changes) -> None:
        """Change keys of the configuration: configure(tsne={"perplexity": 20})."""
        path = self.folder / "digits.yaml"
        config = yaml.safe_load(path.read_text())
        for section, values in changes.items():
            if isinstance(values, dict):
                config.setdefault(section, {}).update(values)
            else:
                config[section] = values
        path.write_text(yaml.safe_dump(config))


@pytest.fixture(scope="session")
def fresh(tmp_path_factory, pairs, sha256) -> Workflow:
    """The workflow, the small data set as a local file, and nothing made."""
    folder = tmp_path_factory.mktemp("fresh")
    for name in WORKFLOW:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, folder / name)
    write_pairs(folder / "digits.pkl.gz", pairs)
    workflow = Workflow(folder)
    (folder / "digits.yaml").write_text("{}")
    workflow.configure(
        dataset={"name": "Digits", "validation_size": 250, "sources": [{"path": "digits.pkl.gz"}], "sha256": sha256},
        network={"schedule": [{"epochs": 3, "batch_size": 32}, {"epochs": 1, "batch_size": 64}]},
        tsne={"perplexity": 15},
        figures={"thumbnails": {"canvas": 1200}},
    )
    return workflow


@pytest.fixture(scope="session")
def finished(fresh, tmp_path_factory) -> Workflow:
    """A whole run, in one command, to the nine figures. Not to be changed."""
    folder = tmp_path_factory.mktemp("finished") / "workflow"
    shutil.copytree(fresh.folder, folder)
    workflow = Workflow(folder)
    result = workflow.run()
    assert result.returncode == 0, result.stdout + result.stderr
    return workflow


@pytest.fixture
def workflow(finished, tmp_path) -> Workflow:
    """A copy of the finished run, to change."""
    shutil.copytree(finished.folder, tmp_path / "workflow")
    return Workflow(tmp_path / "workflow")
