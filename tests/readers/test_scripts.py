"""What the scripts that read data sets write, run as Snakemake runs them but in this process."""

import io
import json
import runpy
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from helpers import ROOT

SPLITS = ("train", "validation", "test")
VECTORS = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)


class Named(dict):
    """Files or parameters by name, as attributes and as items."""

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


@pytest.fixture
def run_script(tmp_path, monkeypatch):
    """A function that runs a script, and returns the arrays, JSON files and texts that it wrote, by name.

    `files` are more outputs by name, in paths of their own.
    """
    monkeypatch.setattr("common.logs.run_logged", lambda log, name: nullcontext(io.StringIO()))

    def run_script(name, inputs, outputs, files=None, **params):
        suffixes = {"classes": "json"} | {f"{split}_files": "csv" for split in SPLITS}
        paths = {output: str(tmp_path / f"{name}_{output}.{suffixes.get(output, 'npy')}") for output in outputs}
        snakemake = SimpleNamespace(
            input=Named(inputs),
            output=Named(paths | (files or {})),
            params=Named(params),
            wildcards=Named(dataset="Own", layer="three"),
            log=["any.log"],
        )
        runpy.run_path(str(ROOT / f"scripts/{name}.py"), {"snakemake": snakemake}, "__main__")
        load = {"json": lambda path: json.loads(Path(path).read_text()), "csv": lambda path: Path(path).read_text()}
        return {output: load.get(path.rpartition(".")[2], np.load)(path) for output, path in paths.items()}

    return run_script


DATASET_FILES = ["classes", *(f"{split}_{kind}" for split in SPLITS for kind in ("images", "labels", "files"))]


def test_prepare_dataset_writes_images_labels_and_classes(run_script, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (40, 4, 4), np.uint8)
    np.savez(tmp_path / "a.npz", x_train=images[:30], y_train=np.arange(30) % 3, x_test=images[30:], y_test=np.ones(10))
    inputs = {"path": str(tmp_path / "a.npz")}
    settings = {"kind": "npz", "folder_options": {}, "columns": {}, "classes": None, "sample": None, "trained": True}
    written = run_script("prepare_dataset", inputs, DATASET_FILES, **settings)
    assert [len(written[f"{split}_labels"]) for split in SPLITS] == [24, 6, 10]
    assert [written[f"{split}_images"].shape for split in SPLITS] == [(24, 4, 4, 1), (6, 4, 4, 1), (10, 4, 4, 1)]
    assert np.array_equal(written["test_images"][..., 0] * 256, images[30:]) and (written["test_labels"] == 1).all()
    assert np.bincount(written["train_labels"]).tolist() == [8, 8, 8] and written["classes"] == ["0", "1", "2"]
    assert [written[f"{split}_files"] for split in SPLITS] == ["file\n"] * 3


@pytest.mark.parametrize(("sample", "trained"), [(None, True), (30, True), (30, False), (None, False)])
def test_prepare_dataset_writes_the_file_of_each_image_of_a_folder(run_script, tmp_path, sample, trained):
    for number in range(48):
        path = tmp_path / f"images/{'abc'[number % 3]}/{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (5, 4), 5 * number).save(path)
    settings = {"kind": "folder", "columns": {}, "classes": None, "sample": sample, "trained": trained}
    inputs, options = {"folder": str(tmp_path / "images")}, {"size": None, "white": None, "skip_damaged": None}
    written = run_script("prepare_dataset", inputs, DATASET_FILES, folder_options=options, **settings)
    seen = []
    for split in SPLITS:
        header, *files = written[f"{split}_files"].splitlines()
        numbers = [int(Path(file).stem) for file in files]
        assert header == "file" and [Path(file).parent.name for file in files] == ["abc"[n % 3] for n in numbers]
        assert np.array_equal(written[f"{split}_images"][:, 0, 0, 0] * 256, [5 * number for number in numbers])
        assert np.array_equal(written[f"{split}_labels"], [number % 3 for number in numbers])
        seen += numbers
    assert len(seen) == len(set(seen)) == (sample or 48) and (len(numbers) > 0) == trained


LABEL_FILES = ["rows", "classes", *(f"{split}_{kind}" for split in SPLITS for kind in ("labels", "files"))]


def test_prepare_labels_writes_the_rows_and_the_labels_of_a_sample(run_script, tmp_path):
    np.save(tmp_path / "three.npy", VECTORS)
    (tmp_path / "labels.txt").write_text("".join(f"{'ab'[number % 2]}\n" for number in range(40)))
    (tmp_path / "ids.txt").write_text("".join(f"cell {number}\n" for number in range(40)))
    inputs = {"vectors": [str(tmp_path / "three.npy")]}
    inputs |= {key: str(tmp_path / f"{key}.txt") for key in ("labels", "ids")}
    written = run_script("prepare_labels", inputs, LABEL_FILES, columns={}, classes=None, sample=10)
    assert np.array_equal(written["train_labels"], written["rows"] % 2) and len(set(written["rows"])) == 10
    assert written["classes"] == ["a", "b"]
    assert len(written["validation_labels"]) == len(written["test_labels"]) == 0
    assert written["train_files"].splitlines() == ["name", *(f"cell {row}" for row in written["rows"])]
    assert written["validation_files"] == written["test_files"] == "name\n"


def test_prepare_labels_reads_a_column_of_a_table(run_script, tmp_path):
    np.save(tmp_path / "three.npy", VECTORS)
    (tmp_path / "t.csv").write_text("id;kind\n" + "".join(f"{number};{'ab'[number % 2]}\n" for number in range(40)))
    inputs = {"vectors": [str(tmp_path / "three.npy")], "labels": str(tmp_path / "t.csv")}
    columns = {"labels": "kind"}
    written = run_script("prepare_labels", inputs, LABEL_FILES, columns=columns, classes=None, sample=None)
    assert written["train_labels"].tolist() == [0, 1] * 20 and written["classes"] == ["a", "b"]


def test_prepare_labels_writes_all_rows_and_no_classes_without_labels(run_script, tmp_path):
    np.save(tmp_path / "three.npy", VECTORS)
    written = run_script("prepare_labels", {"vectors": [tmp_path / "three.npy"] * 2}, LABEL_FILES, sample=None)
    assert written["rows"].tolist() == list(range(40)) and written["classes"] == []
    assert written["train_labels"].tolist() == [0] * 40 and written["train_files"] == "name\n"


def test_prepare_vectors_writes_the_chosen_rows_and_no_held_out_rows(run_script, tmp_path):
    np.save(tmp_path / "three.npy", VECTORS.astype(np.float64))
    np.save(tmp_path / "rows.npy", np.array([3, 7, 39]))
    inputs = {"vectors": str(tmp_path / "three.npy"), "rows": str(tmp_path / "rows.npy")}
    paths = [str(tmp_path / f"three_{split}.npy") for split in SPLITS]
    run_script("prepare_vectors", inputs, (), files={"features": paths})
    train, *held_out = map(np.load, paths)
    assert np.array_equal(train, VECTORS[[3, 7, 39]]) and train.dtype == np.float32
    for features in held_out:
        assert features.shape == (0, 3) and features.dtype == np.float32


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
