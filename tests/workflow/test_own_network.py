"""A network of another framework: its features as vectors, with images, predictions and held-out rows."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from skimage.io import imsave
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from common.names import SPLITS
from helpers import Workflow, only_error

pytestmark = pytest.mark.slow

LAYERS = ("pixel", "three")
ROWS = {"train": slice(0, 200), "validation": slice(200, 250), "test": slice(250, 320)}
SAMPLE = 150
DIGITS = load_digits()
IMAGES = (DIGITS.images * 15).astype(np.uint8)
FEATURES = {"pixel": DIGITS.data, "three": PCA(3, random_state=0).fit_transform(DIGITS.data)}
BEFORE_TRAINING = np.random.default_rng(0).normal(size=(len(DIGITS.target), 3))  # it tells nothing of the digits
PREDICTED = np.where(np.arange(len(DIGITS.target)) % 10, DIGITS.target, (DIGITS.target + 1) % 10)  # a tenth is wrong
CONFIDENCE = 0.55


def write_files(folder) -> dict:
    """Write the files of all splits to a folder, and return the data set; the test images are PNG files."""
    probabilities = np.full((len(PREDICTED), 10), (1 - CONFIDENCE) / 9)
    probabilities[np.arange(len(PREDICTED)), PREDICTED] = CONFIDENCE
    dataset = {}
    for split, rows in ROWS.items():
        arrays = {layer: features[rows] for layer, features in FEATURES.items()}
        arrays |= {"labels": DIGITS.target[rows], "images": IMAGES[rows], "predictions": probabilities[rows]}
        for name, array in arrays.items():
            np.save(folder / f"{split}_{name}.npy", array)
        files = {name: f"{split}_{name}.npy" for name in ("labels", "images", "predictions")}
        files["vectors"] = {layer: f"{split}_{layer}.npy" for layer in LAYERS}
        np.save(folder / f"{split}_before.npy", BEFORE_TRAINING[rows])
        files["checkpoints"] = {0: {"three": f"{split}_before.npy"}}
        dataset |= files if split == "train" else {split: files}
    (folder / "pictures").mkdir()
    for number, image in enumerate(IMAGES[ROWS["test"]]):
        imsave(folder / f"pictures/{number:03}.png", image, check_contrast=False)
    dataset["test"]["images"] = "pictures"
    return dataset | {"sample": SAMPLE, "figures": {"thumbnails": {"canvas": 500}}}


def prepare(workflow: Workflow) -> Workflow:
    """Write the files into a copy of the workflow, and configure it for them."""
    workflow.configure(
        make=["Own"],
        datasets={"Own": write_files(workflow.folder)},
        tsne={"perplexity": 10, "exaggerated_iterations": 30, "iterations": 30},
    )
    return workflow


@pytest.fixture(scope="module")
def own(fresh, tmp_path_factory) -> Workflow:
    """A whole run. Not to be changed."""
    workflow = prepare(fresh.copy(tmp_path_factory.mktemp("own") / "workflow"))
    result = workflow.run()
    assert result.returncode == 0, result.stdout + result.stderr
    return workflow


def test_every_figure_of_a_network_of_the_workflow_exists(own):
    assert own.plan() == {}
    figures = {path.stem for path in (own.folder / "results/figures").glob("*.eps")}
    expected = {f"tSNE_{layer}{kind}" for layer in LAYERS for kind in ("", "_embed")}
    assert figures >= {f"Own_{name}" for name in expected | {"tSNE_layers", "scores", "flow", "flow_images"}}


def test_data_are_those_of_the_files(own):
    data = own.folder / "results/Own/data"
    chosen = np.load(data / "rows.npy")
    assert len(chosen) == SAMPLE
    for split, rows in ROWS.items():
        images, labels = (np.load(data / f"{split}_{name}.npy") for name in ("images", "labels"))
        used = chosen if split == "train" else np.arange(rows.start, rows.stop)
        assert np.array_equal(images[..., 0] * 256, IMAGES[used]) and images.shape[1:] == (8, 8, 1)
        assert np.array_equal(labels, DIGITS.target[used])


def test_scores_are_those_of_all_splits_and_of_the_network(own):
    table = pd.read_csv(own.folder / "results/Own/layers.csv")
    table = table[(table.embedding == "tsne") & table.epoch.isna()].set_index(["layer", "split"])
    assert list(table.index) == [(layer, split) for layer in LAYERS for split in SPLITS]
    assert table.rows.tolist() == 2 * [SAMPLE, 50, 70]
    assert table.network_accuracy["pixel"].isna().all()
    right = DIGITS.target == PREDICTED
    for split in ("validation", "test"):
        assert table.network_accuracy["three", split] == pytest.approx(right[ROWS[split]].mean(), abs=1e-5)
    assert (table.knn_accuracy_features["pixel"] > 0.8).all()


def test_scores_before_training_tell_what_is_given_from_what_is_learned(own):
    layers = json.loads((own.folder / "results/Own/layers.json").read_text())["layers"]
    assert "before_training" not in layers["pixel"]
    score = "knn_accuracy_features"
    pixels, after = (layers[name]["test"][score]["mean"] for name in LAYERS)
    before, given, learned = (
        layers["three"][part]["test"][score]["mean"] for part in ("before_training", "given", "learned")
    )
    assert before < 0.3 and after > 0.5
    assert (given, learned) == pytest.approx((before - pixels, after - before))
    similarity = pd.read_csv(own.folder / "results/Own/similarity.csv")
    assert len(similarity) == 3 and sorted(similarity.epoch_2.dropna()) == [0, 0]


def test_table_has_the_predictions_of_all_rows(own):
    table = pd.read_csv(own.folder / "results/Own/maps.csv")
    chosen = np.load(own.folder / "results/Own/data/rows.npy")
    rows = np.concatenate([chosen, np.arange(200, 320)])
    assert table.label.tolist() == DIGITS.target[rows].tolist()
    assert table.prediction.tolist() == PREDICTED[rows].tolist() and (table.confidence == CONFIDENCE).all()


def test_explorer_has_images_and_predictions(own):
    page = (own.folder / "results/Own/explorer.html").read_text()
    data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page)[1])
    assert data["predicted"] and data["size"] == [8, 8] and data["sheets"] and "confidence" in data["arrays"]
    assert data["splits"] == {"train": SAMPLE, "validation": 50, "test": 70}


def test_methods_describe_vectors_of_images(own):
    text = (own.folder / "results/Own/methods.md").read_text()
    assert "150 training images, 50 validation images and 70 test images of 10 classes, each of 8 x 8 pixels" in text
    assert "Its vectors were computed outside of the workflow." in text and "the vectors pixel and the vectors" in text


def test_predictions_that_are_no_class_end_the_run_before_anything_long(fresh, tmp_path):
    workflow = prepare(fresh.copy(tmp_path / "workflow"))
    np.save(workflow.folder / "test_predictions.npy", np.full(70, 10))
    line = "70 of the 70 predictions are no class of the labels (10). Give them in the form of the labels, or name all"
    assert line in only_error(workflow.run())
    assert not list((workflow.folder / "results/Own").glob("*/*.npz")), "no neighbors were searched"
