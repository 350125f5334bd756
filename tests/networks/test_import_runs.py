"""A model of one's own in a run of the workflow, as far as its predictions."""

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from common.networks.keras_setup import keras
from helpers import Workflow

pytestmark = pytest.mark.slow
CLASSES, IMAGES = 12, 40  # classes whose names sort otherwise as strings
PREDICTIONS = "results/Numbered/network/predictions.csv"


def write_images(folder) -> None:
    """Write images of 16 x 16 pixels, a class a brightness, in the folders 0 to 11."""
    generator = np.random.default_rng(0)
    for label in range(CLASSES):
        (folder / str(label)).mkdir(parents=True)
        for number in range(IMAGES):
            image = (20 * label + generator.integers(0, 6, (16, 16))).astype("uint8")
            Image.fromarray(image).save(folder / str(label) / f"{number}.png")


def build_classifier() -> keras.Model:
    """Return a model of bytes (16, 16) without channel axis, whose logits are in the order of the folders' names."""
    order = sorted(range(CLASSES), key=str)
    images = keras.Input((16, 16))
    mean = keras.layers.GlobalAveragePooling1D()(
        keras.layers.Reshape((256, 1))(keras.layers.Rescaling(1 / 255)(images))
    )
    last = keras.layers.Dense(CLASSES, name="last")
    model = keras.Model(images, last(mean))
    centers = (20 * np.array(order) + 2.5) / 255  # the nearest center x has the largest 2 x m - x^2
    last.set_weights([200 * centers[None], -100 * centers**2])
    return model


@pytest.fixture
def numbered(fresh, tmp_path) -> Workflow:
    """The workflow with such images and such a model."""
    workflow = fresh.copy(tmp_path / "workflow")
    write_images(workflow.folder / "numbered")
    build_classifier().save(workflow.folder / "own.keras")
    dataset = {"folder": "numbered", "hold_out": 0.25, "layers": ["last"], "network": {"model": "own.keras"}}
    workflow.configure(datasets={"Numbered": dataset})
    return workflow


def test_classes_of_a_model_are_named_right_or_a_warning_says_how(numbered):
    result = numbered.run("--", PREDICTIONS)
    assert result.returncode == 0, result.stderr
    assert "network.input.scaling is bytes, since own.keras begins by scaling bytes" in result.stderr
    assert "warning: 17% of the predictions for training images are right. 100% would be if" in result.stderr
    assert "the network's outputs are logits" in result.stderr
    record = json.loads((numbered.folder / "results/Numbered/network/network.json").read_text())
    assert record["scaling"] == "bytes" and record["input"] == [16, 16, 1]

    numbered.configure(network={"class_order": "folders"})
    assert numbered.plan(PREDICTIONS) == {"predict_labels": 1}
    result = numbered.run("--", PREDICTIONS)
    assert result.returncode == 0 and "warning" not in result.stderr, result.stderr
    table = pd.read_csv(numbered.folder / PREDICTIONS)
    assert dict(table.split.value_counts()) == {"train": CLASSES * 30, "validation": CLASSES * 10}
    assert (table.prediction == table.label).all() and np.bincount(table.label).tolist() == [IMAGES] * CLASSES


def test_network_is_stale_when_a_file_that_its_own_imports_changes(numbered):
    folder, output = numbered.folder / "models", "results/Numbered/network/network.keras"
    folder.mkdir()
    (folder / "parts.py").write_text("UNITS = 5\n")
    (folder / "own.py").write_text(
        "import keras\n"
        "import parts\n"
        "def build_network(image_shape, classes):\n"
        "    last = keras.layers.Dense(classes, 'softmax')\n"
        "    layers = [keras.layers.Flatten(), keras.layers.Dense(parts.UNITS, name='hidden'), last]\n"
        "    return keras.Sequential([keras.Input(image_shape), *layers])\n"
    )
    dataset = {"folder": "numbered", "layers": ["hidden"], "network": {"model": "models/own.py"}}
    numbered.configure(datasets={"Numbered": dataset}, network={"schedule": [{"epochs": 1, "batch_size": 50}]})
    result = numbered.run("--", output)
    assert result.returncode == 0, result.stderr
    assert numbered.plan(output) == {}
    (folder / "parts.py").write_text("UNITS = 7\n")
    assert numbered.plan(output) == {"train_network": 1}
