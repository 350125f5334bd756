"""A folder of images in a run of the workflow: their files in the tables, damaged ones, and changes in place."""

import os

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from helpers import Workflow, only_error

pytestmark = pytest.mark.slow
IMAGES = "results/Small/data/train_images.npy"
PREDICTIONS = "results/Small/network/predictions.csv"


@pytest.fixture
def workflow(fresh, tmp_path) -> Workflow:
    """The workflow, configured for a folder of 200 digits of 16 bits, of which 100 are for testing."""
    workflow = fresh.copy(tmp_path / "workflow")
    digits = load_digits()
    for number, (image, label) in enumerate(zip(digits.images[:200], digits.target, strict=False)):
        path = workflow.folder / f"digits/{('Training', 'Testing')[number % 2]}/{label % 5}/images/{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((image * 255).astype(np.uint16)).save(path)
    (workflow.folder / "digits/.DS_Store").touch()
    network = {"filters": [4], "kernel": 3, "units": [8], "schedule": [{"epochs": 1, "batch_size": 32}]}
    workflow.configure(
        datasets={"Small": {"folder": "digits", "white": 4080, "network": network, "layers": ["conv1"]}},
        tsne={"perplexity": 10},
    )
    return workflow


def test_files_are_kept_and_a_change_in_place_is_noticed(workflow):
    result = workflow.run("--", PREDICTIONS)
    assert result.returncode == 0 and "warning" not in result.stderr, result.stderr
    table = pd.read_csv(workflow.folder / PREDICTIONS)
    assert table.columns.tolist() == ["split", "id", "file", "label", "prediction", "confidence"]
    parts = table.file.str.split("/", expand=True)
    assert parts[0].tolist() == ["Training"] * 83 + ["Training"] * 17 + ["Testing"] * 100
    assert table.split.value_counts().to_dict() == {"train": 83, "validation": 17, "test": 100}
    assert (parts[1].astype(int) == table.label).all() and table.file.is_unique
    images = np.load(workflow.folder / IMAGES)
    numbers = parts[3].str.removesuffix(".png").astype(int)[:83]
    assert np.allclose(images[..., 0], load_digits().images[numbers] / 16)

    assert workflow.plan(PREDICTIONS) == {}
    folder = workflow.folder / "digits/Training/0/images"
    (folder / "Thumbs.db").touch()
    assert workflow.plan(PREDICTIONS) == {}, "litter changes nothing"
    path = next(folder.glob("*.png"))
    status = path.stat()
    path.write_bytes(path.read_bytes())
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert set(workflow.plan(PREDICTIONS)) == {"prepare_dataset", "train_network", "predict_labels"}


def test_damaged_images_are_named_or_left_out_and_dark_ones_are_warned_of(workflow):
    names = sorted(path.relative_to(workflow.folder / "digits") for path in workflow.folder.glob("digits/*/0/*/*.png"))
    for name in names[:12]:
        (workflow.folder / "digits" / name).write_bytes(b"\x89PNG")
    line = only_error(workflow.run("--", IMAGES))
    assert line.startswith(f"12 of 200 images of digits cannot be read: {names[0]} (") and " and 2 others. Rep" in line
    assert not (workflow.folder / IMAGES).exists()
    settings = {"folder": "digits", "skip_damaged": True, "layers": ["pixel"]}
    workflow.configure(datasets={"Small": settings})
    result = workflow.run("--", IMAGES)
    assert result.returncode == 0 and "they are left out (skip_damaged)" in result.stderr
    assert "warning: 188 images of digits with uint16 values: the brightest value is 4,080 of 65,535" in result.stderr
    files = pd.read_csv(workflow.folder / "results/Small/data/train_files.csv").file
    tests = pd.read_csv(workflow.folder / "results/Small/data/test_files.csv").file
    assert len(files) + len(tests) == 188 and not set(map(str, names[:12])) & {*files, *tests}
