"""What the scripts that read data sets write, run as Snakemake runs them but in this process."""

import io
import json
import re
import runpy
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from common.errors import UserError
from common.row_names import save_names
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
        suffixes = dict.fromkeys(("classes", "class_labels"), "json") | {f"{split}_files": "csv" for split in SPLITS}
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


LABEL_FILES = [
    "rows",
    "classes",
    "class_labels",
    *(f"{split}_{kind}" for split in SPLITS for kind in ("labels", "files")),
]
ONE_LAYER = {"layers": ["a"], "control_layers": []}


@pytest.fixture
def files(tmp_path):
    """A function that writes vectors and what belongs to them, and returns the inputs of a script, by split."""

    def write(**arrays):
        paths = {}
        for name, array in arrays.items():
            path = str(tmp_path / f"{name}.npy")
            np.save(path, array)
            paths[name] = [path] if name.endswith(("vectors", "checkpoints")) else path
        return paths

    return write


def test_prepare_labels_writes_the_rows_and_the_labels_of_a_sample(run_script, files, tmp_path):
    (tmp_path / "labels.txt").write_text("".join(f"{'ab'[number % 2]}\n" for number in range(40)))
    (tmp_path / "ids.txt").write_text("".join(f"cell {number}\n" for number in range(40)))
    inputs = files(train_vectors=VECTORS) | {f"train_{key}": str(tmp_path / f"{key}.txt") for key in ("labels", "ids")}
    written = run_script("prepare_labels", inputs, LABEL_FILES, **ONE_LAYER, columns={}, classes=None, sample=10)
    assert np.array_equal(written["train_labels"], written["rows"] % 2) and len(set(written["rows"])) == 10
    assert written["classes"] == ["a", "b"]
    assert len(written["validation_labels"]) == len(written["test_labels"]) == 0
    assert written["train_files"].splitlines() == ["name", *(f"cell {row}" for row in written["rows"])]
    assert written["validation_files"] == written["test_files"] == "name\n"


def test_prepare_labels_reads_a_column_of_a_table_of_each_split(run_script, files, tmp_path):
    inputs = files(train_vectors=VECTORS, test_vectors=VECTORS[:4])
    for name, count, column in (("train", 40, "kind"), ("test", 4, "species")):
        rows = "".join(f"{number};{'ab'[number % 2]}\n" for number in range(count))
        (tmp_path / f"{name}.csv").write_text(f"id;{column}\n{rows}")
        inputs[f"{name}_labels"] = str(tmp_path / f"{name}.csv")
    columns = {"labels": "kind", "test.labels": "species"}
    written = run_script("prepare_labels", inputs, LABEL_FILES, **ONE_LAYER, columns=columns, classes=None, sample=None)
    assert written["train_labels"].tolist() == [0, 1] * 20 and written["classes"] == ["a", "b"]
    assert written["test_labels"].tolist() == [0, 1, 0, 1]


def test_prepare_labels_writes_the_label_of_each_class(run_script, files):
    for labels, classes, values in (
        (np.arange(40) % 2 + 1, ["cat", "dog"], ["1", "2"]),
        (np.arange(40) % 2, ["cat", "dog", "owl"], ["0", "1", "2"]),
        (np.arange(40) % 2 + 5, None, ["5", "6"]),
    ):
        inputs = files(train_vectors=VECTORS, train_labels=labels)
        written = run_script(
            "prepare_labels", inputs, LABEL_FILES, **ONE_LAYER, columns={}, classes=classes, sample=None
        )
        assert written["class_labels"] == values and written["classes"] == (classes or values)


def test_prepare_labels_numbers_the_labels_of_all_splits_alike(run_script, files):
    inputs = files(train_vectors=VECTORS, train_labels=np.arange(40) % 2 + 5)
    inputs |= files(test_vectors=VECTORS[:3], test_labels=np.array([6, 9, 5]))
    inputs |= files(train_ids=np.arange(40).astype(str), test_ids=np.array(["x", "y", "z"]))
    written = run_script("prepare_labels", inputs, LABEL_FILES, **ONE_LAYER, columns={}, classes=None, sample=10)
    assert written["classes"] == ["5", "6", "9"] and written["test_labels"].tolist() == [1, 2, 0]
    assert written["test_files"].splitlines() == ["name", "x", "y", "z"]
    assert written["train_files"].splitlines() == ["name", *map(str, written["rows"])]
    assert np.array_equal(written["train_labels"], written["rows"] % 2) and len(written["validation_labels"]) == 0


def test_prepare_labels_writes_all_rows_and_no_classes_without_labels(run_script, files):
    inputs = {"train_vectors": 2 * files(train_vectors=VECTORS)["train_vectors"]} | files(test_vectors=VECTORS[:3])
    inputs["test_vectors"] *= 2
    layers = {"layers": ["a", "b"], "control_layers": []}
    written = run_script("prepare_labels", inputs, LABEL_FILES, **layers, columns={}, sample=None)
    assert written["rows"].tolist() == list(range(40)) and written["classes"] == []
    assert written["train_labels"].tolist() == [0] * 40 and written["test_labels"].tolist() == [0] * 3
    assert written["train_files"] == written["test_files"] == "name\n"


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"test_vectors": VECTORS[:, :2]}, "train_vectors.npy has 3 columns, "),
        ({"test_vectors": VECTORS[:, 0]}, "test_vectors.npy has the shape 40. Give (n, d), one vector a row."),
        ({"test_labels": np.zeros(39)}, "test_labels.npy has 39 labels for 40 vectors. Add the 1 missing label."),
        ({"test_labels": np.full(40, 2)}, "classes gives 2 names, but 40 of the test labels are not from 0 to 1."),
    ],
    ids=["columns", "shape", "rows", "range"],
)
def test_prepare_labels_refuses_splits_that_do_not_fit(run_script, files, change, line):
    arrays = {f"{split}_vectors": VECTORS for split in SPLITS} | {f"{split}_labels": np.zeros(40) for split in SPLITS}
    with pytest.raises(UserError, match=re.escape(line)):
        run_script(
            "prepare_labels",
            files(**arrays | change),
            LABEL_FILES,
            **ONE_LAYER,
            columns={},
            classes=["a", "b"],
            sample=None,
        )


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            {"test_checkpoints": VECTORS[:39]},
            "test_vectors.npy has 40 rows, {folder}/test_checkpoints.npy has 39. Give",
        ),
        (
            {"train_checkpoints": VECTORS[:, :2]},
            "train_vectors.npy has 3 columns, {folder}/train_checkpoints.npy has 2. "
            "Give the same layer before and after training.",
        ),
    ],
    ids=["rows", "columns"],
)
def test_prepare_labels_refuses_vectors_before_training_of_other_rows_or_layers(
    run_script, files, tmp_path, change, line
):
    arrays = {f"{split}_{kind}": VECTORS for split in ("train", "test") for kind in ("vectors", "checkpoints")}
    layers = {"layers": ["a"], "control_layers": ["a"]}
    run_script("prepare_labels", files(**arrays), LABEL_FILES, **layers, columns={}, classes=None, sample=None)
    with pytest.raises(UserError, match=re.escape(line.format(folder=tmp_path))):
        inputs = files(**arrays | change)
        run_script("prepare_labels", inputs, LABEL_FILES, **layers, columns={}, classes=None, sample=None)


def test_prepare_vectors_writes_the_chosen_training_rows_and_all_test_rows(run_script, files, tmp_path):
    inputs = files(train_vectors=VECTORS.astype(np.float64), test_vectors=VECTORS[:5], rows=np.array([3, 7, 39]))
    inputs |= {f"{split}_vectors": inputs[f"{split}_vectors"][0] for split in ("train", "test")}
    paths = [str(tmp_path / f"three_{split}.npy") for split in SPLITS]
    run_script("prepare_vectors", inputs, (), files={"features": paths})
    train, validation, test = map(np.load, paths)
    assert np.array_equal(train, VECTORS[[3, 7, 39]]) and train.dtype == np.float32
    assert validation.shape == (0, 3) and validation.dtype == np.float32 and np.array_equal(test, VECTORS[:5])


PICTURES = np.random.default_rng(0).integers(0, 256, (40, 4, 5), np.uint8)


def test_prepare_images_writes_the_images_of_the_chosen_rows(run_script, files, tmp_path):
    inputs = files(train_vectors=VECTORS, train_images=PICTURES, rows=np.array([3, 7, 39]))
    inputs |= files(validation_vectors=VECTORS[:2], validation_images=PICTURES[:2, ..., None] / 256)
    paths = [str(tmp_path / f"written_{split}.npy") for split in SPLITS]
    run_script("prepare_images", inputs, (), files={"images": paths}, folder_options={})
    train, validation, test = map(np.load, paths)
    assert np.array_equal(train[..., 0] * 256, PICTURES[[3, 7, 39]]) and train.dtype == np.float32
    assert np.array_equal(validation[..., 0] * 256, PICTURES[:2]) and test.shape == (0, 4, 5, 1)


@pytest.mark.parametrize(
    ("images", "line"),
    [
        (PICTURES[:39], "test_vectors.npy has 40 rows, {folder}/test_images.npy has 39. Give the same rows"),
        (PICTURES[:, 1:], "The test images are 3 x 5 x 1, the training images 4 x 5 x 1. Give all the same shape."),
        (PICTURES / 2, "40 of the 40 images in {folder}/test_images.npy have values outside 0 to 1. Divide them"),
    ],
    ids=["rows", "shape", "range"],
)
def test_prepare_images_refuses_images_that_do_not_fit(run_script, files, tmp_path, images, line):
    inputs = files(train_vectors=VECTORS, train_images=PICTURES, rows=np.arange(40))
    inputs |= files(test_vectors=VECTORS, test_images=images)
    paths = [str(tmp_path / f"written_{split}.npy") for split in SPLITS]
    with pytest.raises(UserError, match=re.escape(line.format(folder=tmp_path))):
        run_script("prepare_images", inputs, (), files={"images": paths}, folder_options={})


@pytest.fixture
def predict(run_script, files, tmp_path):
    """A function that runs prepare_predictions on predictions for training and test rows, and returns its table."""

    def run(train, test, names=()):
        (tmp_path / "class_labels.json").write_text('["a", "b", "c"]')
        inputs = files(train_vectors=VECTORS, test_vectors=VECTORS[:2], rows=np.array([4, 7, 38]))
        inputs |= files(train_predictions=train, test_predictions=test)
        labels = {"train": np.array([0, 1, 2]), "validation": np.zeros(0, int), "test": np.array([2, 1])}
        inputs["labels"] = list(files(**{f"{split}_numbers": rows for split, rows in labels.items()}).values())
        inputs["class_labels"] = str(tmp_path / "class_labels.json")
        inputs["names"] = [str(tmp_path / f"{split}_files.csv") for split in SPLITS]
        for path, found in zip(inputs["names"], names or ([], [], []), strict=True):
            save_names(path, "name", found)
        output = {"predictions": str(tmp_path / "predictions.csv")}
        run_script("prepare_predictions", inputs, (), files=output, columns={})
        return (tmp_path / "predictions.csv").read_text()

    return run


def test_prepare_predictions_writes_those_of_the_chosen_rows(predict):
    labels = np.array(list("abc"))[np.arange(40) % 3]
    lines = ["split,id,label,prediction,confidence", "train,0,0,1,", "train,1,1,1,", "train,2,2,2,"]
    assert predict(labels, np.array(["c", "a"])).splitlines() == [*lines, "test,0,2,2,", "test,1,1,0,"]


def test_prepare_predictions_writes_the_names_of_the_rows(predict):
    labels = np.array(list("abc"))[np.arange(40) % 3]
    table = predict(labels, labels[:2], (["x", "y", "z"], [], ["t", "u"])).splitlines()
    lines = ["split,id,name,label,prediction,confidence", "train,0,x,0,1,", "train,1,y,1,1,", "train,2,z,2,2,"]
    assert table == [*lines, "test,0,t,2,0,", "test,1,u,1,1,"]


def test_prepare_predictions_writes_the_highest_probabilities(predict):
    probabilities = np.tile([0.25, 0.75, 0], (40, 1))
    probabilities[7] = [0, 0.125, 0.875]
    lines = ["split,id,label,prediction,confidence", "train,0,0,1,0.75", "train,1,1,2,0.875", "train,2,2,1,0.75"]
    table = predict(probabilities, probabilities[6:8]).splitlines()
    assert table == [*lines, "test,0,2,1,0.75", "test,1,1,2,0.875"]


def test_prepare_predictions_refuses_two_forms_and_other_numbers_of_rows(predict):
    labels = np.array(["a"] * 40)
    with pytest.raises(UserError, match=r"test_predictions\.npy has 3 labels for 2 vectors\. Remove the 1 extra label"):
        predict(labels, labels[:3])
    with pytest.raises(UserError, match="The predictions of one split are labels, those of another are probabilities"):
        predict(labels, np.eye(3)[:2])


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
