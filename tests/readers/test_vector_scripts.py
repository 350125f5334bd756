"""What the scripts that read vectors write, run as Snakemake runs them but in this process."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from common.errors import UserError
from common.row_names import save_names

SPLITS = ("train", "validation", "test")
VECTORS = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)

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


def test_prepare_texts_writes_those_of_the_chosen_rows(run_script, files, tmp_path):
    inputs = files(train_vectors=VECTORS, test_vectors=VECTORS[:2], rows=np.array([4, 7, 38]))
    (tmp_path / "rows.csv").write_text("".join(["id,title\n", *(f'{row},"Title, {row}"\n' for row in range(40))]))
    (tmp_path / "test.txt").write_text("one\n" + "x" * 600 + "\n")
    inputs |= {"train_text": str(tmp_path / "rows.csv"), "test_text": str(tmp_path / "test.txt")}
    paths = [str(tmp_path / f"{split}_texts.json") for split in SPLITS]
    run_script("prepare_texts", inputs, (), files={"texts": paths}, columns={"text": "title"})
    train, validation, test = (json.loads(Path(path).read_text()) for path in paths)
    assert train == ["Title, 4", "Title, 7", "Title, 38"] and validation == []
    assert test == ["one", "x" * 500 + "…"]
    (tmp_path / "test.txt").write_text("one\n")
    with pytest.raises(UserError, match=r"test\.txt has 1 texts for 2 rows\. Add the missing ones \(1\)"):
        run_script("prepare_texts", inputs, (), files={"texts": paths}, columns={"text": "title"})


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
