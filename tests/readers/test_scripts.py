"""What the scripts that read data sets write, run as Snakemake runs them but in this process."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SPLITS = ("train", "validation", "test")


DATASET_FILES = ["classes", *(f"{split}_{kind}" for split in SPLITS for kind in ("images", "labels", "files"))]


def test_prepare_dataset_writes_images_labels_and_classes(run_script, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (70, 4, 4), np.uint8)
    np.savez(tmp_path / "a.npz", x_train=images[:60], y_train=np.arange(60) % 3, x_test=images[60:], y_test=np.ones(10))
    inputs = {"path": str(tmp_path / "a.npz")}
    settings = {"kind": "npz", "folder_options": {}, "columns": {}, "classes": None, "sample": None, "trained": True}
    settings["hold_out"] = None
    written = run_script("prepare_dataset", inputs, DATASET_FILES, **settings)
    assert [len(written[f"{split}_labels"]) for split in SPLITS] == [51, 9, 10]
    assert [written[f"{split}_images"].shape for split in SPLITS] == [(51, 4, 4, 1), (9, 4, 4, 1), (10, 4, 4, 1)]
    assert np.array_equal(written["test_images"][..., 0] * 256, images[60:]) and (written["test_labels"] == 1).all()
    assert np.bincount(written["train_labels"]).tolist() == [17, 17, 17] and written["classes"] == ["0", "1", "2"]
    assert [written[f"{split}_files"] for split in SPLITS] == ["file\n"] * 3


@pytest.mark.parametrize(("sample", "trained"), [(None, True), (60, True), (60, False), (None, False)])
def test_prepare_dataset_writes_the_file_of_each_image_of_a_folder(run_script, tmp_path, sample, trained):
    for number in range(96):
        path = tmp_path / f"images/{'abc'[number % 3]}/{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (5, 4), 2 * number).save(path)
    settings = {
        "kind": "folder",
        "columns": {},
        "classes": None,
        "sample": sample,
        "trained": trained,
        "hold_out": None,
    }
    inputs, options = {"folder": str(tmp_path / "images")}, {"size": None, "white": None, "skip_damaged": None}
    written = run_script("prepare_dataset", inputs, DATASET_FILES, folder_options=options, **settings)
    seen = []
    for split in SPLITS:
        header, *files = written[f"{split}_files"].splitlines()
        numbers = [int(Path(file).stem) for file in files]
        assert header == "file" and [Path(file).parent.name for file in files] == ["abc"[n % 3] for n in numbers]
        assert np.array_equal(written[f"{split}_images"][:, 0, 0, 0] * 256, [2 * number for number in numbers])
        assert np.array_equal(written[f"{split}_labels"], [number % 3 for number in numbers])
        seen += numbers
    assert len(seen) == len(set(seen)) == (sample or 96) and (len(numbers) > 0) == trained


def test_flatten_images_writes_the_pixels_of_each_split(run_script, tmp_path):
    images = np.random.default_rng(0).random((40, 4, 5, 3), np.float32)
    files, paths = [], []
    for split, part in zip(SPLITS, np.split(images, [30, 30]), strict=True):
        files.append(str(tmp_path / f"{split}_images.npy"))
        paths.append(str(tmp_path / f"{split}_features.npy"))
        np.save(files[-1], part)
    run_script("flatten_images", {"images": files}, (), files={"features": paths})
    features = [np.load(path) for path in paths]
    assert [part.shape for part in features] == [(30, 60), (0, 60), (10, 60)]
    assert np.array_equal(np.concatenate(features), images.reshape(40, 60)) and features[0].dtype == np.float32
