"""A small real data set, and whole runs of the workflow on it."""

import hashlib
import shutil

import numpy as np
import pytest
from download_dataset import pairs_from_parts
from skimage.transform import resize
from sklearn.datasets import load_digits

from common.readers.idx import write_idx
from common.readers.mnist_pickle import write_pairs
from common.readers.names import IDX_FILES
from helpers import ROOT, WORKFLOW, Workflow


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


@pytest.fixture(scope="session")
def fresh(tmp_path_factory, pairs) -> Workflow:
    """The workflow, the small data set as a local file, and nothing made."""
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
        network={"schedule": [{"epochs": 3, "batch_size": 32}, {"epochs": 1, "batch_size": 64}]},
        tsne={"perplexity": 15},
        figures={"thumbnails": {"canvas": 1200}},
    )
    return workflow


@pytest.fixture(scope="session")
def finished(fresh, tmp_path_factory) -> Workflow:
    """A whole run, in one command, to the nine figures. Not to be changed."""
    workflow = fresh.copy(tmp_path_factory.mktemp("finished") / "workflow")
    result = workflow.run()
    assert result.returncode == 0, result.stdout + result.stderr
    return workflow


@pytest.fixture
def workflow(finished, tmp_path) -> Workflow:
    """A copy of the finished run, to change."""
    return finished.copy(tmp_path / "workflow")
