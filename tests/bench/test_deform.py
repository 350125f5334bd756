"""Deformed images."""

import os
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from deform import BLOCK, deform, deformed_blocks, read_dataset, write_dataset
from scipy.spatial.distance import cdist
from sklearn.neighbors import KNeighborsClassifier

from common.errors import UserError
from common.readers import read_dataset as read_by_workflow
from helpers import ROOT

COUNT = 700  # images, of which 400 are those of the data set


@pytest.fixture
def prepared(parts, tmp_path, monkeypatch):
    """The images (400, 28, 28) and labels of a data set that the workflow has prepared in the current folder."""
    images, labels = parts["train_images"][:400], parts["train_labels"][:400].astype(np.int64)
    data = tmp_path / "results/Small/data"
    data.mkdir(parents=True)
    for split, rows in ("train", slice(300)), ("validation", slice(300, 350)), ("test", slice(350, 400)):
        np.save(data / f"{split}_images.npy", images[rows, ..., None] / np.float32(256))
        np.save(data / f"{split}_labels.npy", labels[rows])
    monkeypatch.chdir(tmp_path)
    return images, labels


def in_order(images, labels):
    rows = np.hstack([images.reshape(len(images), -1), labels[:, None]])
    return rows[np.lexsort(rows.T)]


def test_all_splits_are_read_in_random_order_each_image_with_its_label(prepared):
    images, labels = read_dataset("Small")
    assert images.shape == (400, 28, 28) and images.dtype == np.uint8
    assert np.array_equal(in_order(images, labels), in_order(*prepared))
    assert not np.array_equal(images, prepared[0]) and np.any(labels[:100] != prepared[1][:100])
    assert np.array_equal(read_dataset("Small")[0], images)


def test_images_with_colors_are_refused(prepared, tmp_path):
    np.save(tmp_path / "results/Small/data/train_images.npy", np.zeros((5, 4, 4, 3), np.float32))
    with pytest.raises(UserError) as caught:
        read_dataset("Small")
    assert str(caught.value) == "The images of Small have 3 channels. Choose a data set of gray images."


def test_data_set_that_is_not_prepared_is_refused_with_the_command(prepared):
    with pytest.raises(UserError, match=r"train_images\.npy does not exist\. Run this command first: snakemake"):
        read_dataset("Other")


def test_written_files_have_the_labels_in_turn_and_are_read_by_the_workflow(prepared, tmp_path):
    write_dataset(*prepared, COUNT, tmp_path / "deformed")
    files = {name: f"{tmp_path}/deformed/{name}.npy" for name in ("images", "labels")}
    images, labels = (np.load(path) for path in files.values())
    assert images.shape == (COUNT, 28, 28) and np.array_equal(images[:400], prepared[0])
    assert np.array_equal(labels[:400], prepared[1]) and np.array_equal(labels[400:], prepared[1][:300])
    split = read_by_workflow("npy", files, None)["train"]
    (block,) = split.images.blocks()
    assert np.array_equal(block[..., 0] * 256, images) and np.array_equal(split.labels, labels)


def test_deformed_image_is_similar_to_its_source_and_not_the_same(prepared):
    images = np.concatenate(list(deformed_blocks(prepared[0], COUNT)))
    sources, others = (part.reshape(len(part), -1).astype(float) for part in (images[:400], images[400:]))
    distances = cdist(others, sources)
    is_near = (distances.argsort(axis=1)[:, :5] == np.arange(300)[:, None]).any(axis=1)
    assert is_near.mean() > 0.8 and distances[np.arange(300), np.arange(300)].min() > 0


def test_deformed_digits_keep_their_class(parts):
    """Most are classified correctly by their pixels, after training on other images; of their sources, 94 %."""
    images, labels = parts["train_images"], parts["train_labels"]
    classifier = KNeighborsClassifier(3).fit(images[500:].reshape(len(images) - 500, -1), labels[500:])
    deformed = deform(images[:500], np.random.default_rng(0))
    accuracy = classifier.score(deformed.reshape(500, -1), labels[:500])
    assert 0.75 < accuracy < 0.92, "47 % with a strength of 60"


def test_images_are_rotated_scaled_and_displaced_about_the_center():
    rows, columns = np.mgrid[:41, :41] - 20
    disk = np.where(rows**2 + columns**2 < 100, 200, 0).astype(np.uint8)
    deformed = deform(np.stack([disk] * 200), np.random.default_rng(1)).astype(float)
    area = deformed.sum(axis=(1, 2)) / disk.sum()
    assert area.mean() == pytest.approx(1, abs=0.05) and 0.6 < area.min() < 0.9 < 1.1 < area.max() < 1.5
    for axis in (rows, columns):
        shift = (deformed * axis).sum(axis=(1, 2)) / deformed.sum(axis=(1, 2))
        assert abs(shift.mean()) < 0.2 and 0.1 < shift.std() < 1.5
    bar = np.where(abs(columns) < 3, 200, 0).astype(np.uint8)
    tilted = deform(np.stack([bar] * 200), np.random.default_rng(2)).astype(float)
    tilt = np.polyfit(np.arange(-10, 11), ((tilted * columns).sum(axis=2) / tilted.sum(axis=2))[:, 10:31].T, 1)[0]
    assert 3 < np.rad2deg(tilt.std()) < 10


def test_black_and_constant_images_stay_as_they_are():
    for value in (0, 7, 255):
        images = np.full((20, 12, 9), value, np.uint8)
        assert np.array_equal(deform(images, np.random.default_rng(0)), images)


def test_image_is_the_same_however_many_there_are():
    size = BLOCK // 8  # so that each block begins with the first image
    images = np.random.default_rng(0).integers(0, 256, (size, 12, 9), np.uint8)
    few, many = (np.concatenate(list(deformed_blocks(images, count))) for count in (1234, 2 * BLOCK + 777))
    assert few.shape == (1234, 12, 9) and many.shape == (2 * BLOCK + 777, 12, 9)
    assert np.array_equal(few, many[:1234]) and np.array_equal(images, few[:size])
    assert np.array_equal(next(deformed_blocks(images, 70)), images[:70])


def test_each_image_and_each_block_is_deformed_in_another_way():
    size = BLOCK // 8
    images = np.random.default_rng(0).integers(0, 256, (size, 12, 9), np.uint8)
    many = np.concatenate(list(deformed_blocks(images, 2 * BLOCK)))
    copies = [many[size + start : 2 * size + start] for start in (0, size, BLOCK)]
    assert not any(np.array_equal(*pair) for pair in (*pairwise(copies), (copies[0], copies[2])))
    other = np.concatenate(list(deformed_blocks(images, 1234, seed=7)))
    assert not np.array_equal(many[size:1234], other[size:])


@pytest.mark.slow
def test_command_writes_the_images_or_refuses_in_one_line(prepared, tmp_path):
    def run(dataset):
        command = [sys.executable, ROOT / "bench/deform.py", f"{COUNT}", "--dataset", dataset]
        environment = os.environ | {"PYTHONPATH": f"{ROOT / 'scripts'}"}
        return subprocess.run(command, env=environment, capture_output=True, text=True)

    refused = run("Other")
    assert refused.returncode == 1 and not (tmp_path / "resources").exists()
    assert refused.stderr.startswith("error: results/Other/data/") and refused.stderr.count("\n") == 1
    assert run("Small").returncode == 0
    assert np.load(tmp_path / "resources/deformed/images.npy").shape == (COUNT, 28, 28)
    assert np.load(tmp_path / "resources/deformed/labels.npy").shape == (COUNT,)
