"""A small real data set, whole runs of the workflow on it, and the choice of tests."""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from download_dataset import pairs_from_parts
from skimage.transform import resize
from sklearn.datasets import load_digits

from common.names import IDX_FILES
from common.readers.idx import write_idx
from common.readers.mnist_pickle import write_pairs
from helpers import ROOT, WORKFLOW, Workflow, system_program

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# The last two draw with WebGL on a machine without a GPU.
CHROMIUM_OPTIONS = ["--no-sandbox", "--disable-background-networking"]
CHROMIUM_OPTIONS += ["--use-angle=swiftshader", "--enable-unsafe-swiftshader"]

LEFT_OUT = ("slow", "slurm", "chromium", "conda")  # markers of tests that run with CI=true only


def pytest_configure(config):
    """Select the fast tests, unless CI is set or the command line selects by marker."""
    if not os.environ.get("CI") and not config.option.markexpr:
        config.option.markexpr = f"not ({' or '.join(LEFT_OUT)})"


def build_once(tmp_path_factory, name: str, build: Callable[[Path], None]) -> Path:
    """Return a folder that one of the parallel test processes builds, while the others wait for it."""
    root = tmp_path_factory.getbasetemp()
    root = root.parent if os.environ.get("PYTEST_XDIST_WORKER") else root
    folder, done = root / name, root / f"{name}.done"
    with open(root / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            build(folder)
            done.touch()
    return folder


@pytest.fixture(scope="session")
def parts() -> dict[str, np.ndarray]:
    """scikit-learn's 1,797 digits in the size and form of MNIST: 1,547 for training and validation, 250 for testing."""
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


@pytest.fixture(scope="session")
def fresh(tmp_path_factory, pairs) -> Workflow:
    """The workflow with the small data set as a local file and without a control, before any run. Not to be changed."""
    folder = tmp_path_factory.mktemp("fresh")
    for name in WORKFLOW:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, folder / name)
    write_pairs(folder / "digits.pkl.gz", pairs)
    workflow = Workflow(folder)
    (folder / "digits.yaml").write_text("{}")
    workflow.configure(
        make=["Small"],
        datasets={"Small": {"pickle": "digits.pkl.gz"}},
        network={"schedule": [{"epochs": 3, "batch_size": 32}, {"epochs": 1, "batch_size": 64}], "checkpoints": []},
        tsne={"perplexity": 15},
        figures={"thumbnails": {"canvas": 1200}},
    )
    return workflow


@pytest.fixture(scope="session")
def finished(fresh, tmp_path_factory) -> Workflow:
    """A whole run with the control, in one command, to the nine figures. Not to be changed."""

    def build(folder: Path) -> None:
        workflow = fresh.copy(folder)
        workflow.configure(network={"checkpoints": [0]})
        result = workflow.run()
        assert result.returncode == 0, result.stdout + result.stderr

    return Workflow(build_once(tmp_path_factory, "finished", build))


@pytest.fixture(scope="session")
def chromium() -> Iterator["Browser"]:
    """A browser; a test process can start Playwright only once."""
    from playwright.sync_api import sync_playwright

    path = system_program("chromium", "chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def workflow(finished, tmp_path) -> Workflow:
    """A copy of the finished run, to change."""
    return finished.copy(tmp_path / "workflow")
