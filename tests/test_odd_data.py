"""Data that nobody expects: it works, and the maps are finite, or one line names the file and its number of rows."""

import gzip
import json
import pickle

import numpy as np
import pytest
from download_dataset import pairs_from_parts

from common.errors import UserError
from common.readers.mnist_pickle import SPLITS, read_pairs, write_pairs
from common.readers.splits import stratified_rows
from helpers import Workflow, only_error

GENERATOR = np.random.default_rng(0)
QUICK = {
    "network": {"schedule": [{"epochs": 1, "batch_size": 64}]},
    "tsne": {"exaggerated_iterations": 20, "iterations": 30},
}


def some_pairs(rows: int = 60, side: int = 28) -> list[tuple[np.ndarray, np.ndarray]]:
    images = (GENERATOR.integers(0, 256, (rows, side**2)) / 256).astype(np.float32)
    return [(images[start:stop], np.arange(start, stop) % 10) for start, stop in ((0, 40), (40, 50), (50, rows))]


def pixel(value: float):
    def change(images, labels):
        images = images.copy()
        images[[3, 5], 7] = value
        return images, labels

    return change


def label(value: int):
    def change(images, labels):
        labels = labels.copy()
        labels[[3, 5]] = value
        return images, labels

    return change


@pytest.mark.parametrize("split", range(3), ids=SPLITS)
@pytest.mark.parametrize(
    ("change", "line"),
    [
        (pixel(np.nan), "of its {rows} {split} images, 2 have pixels that are not in [0, 1)"),
        (pixel(np.inf), "of its {rows} {split} images, 2 have pixels that are not in [0, 1)"),
        (pixel(-np.inf), "of its {rows} {split} images, 2 have pixels that are not in [0, 1)"),
        (pixel(1), "of its {rows} {split} images, 2 have pixels that are not in [0, 1)"),
        (pixel(-0.25), "of its {rows} {split} images, 2 have pixels that are not in [0, 1)"),
        (label(-1), "of its {rows} {split} labels, 2 are not from 0 to 255"),
        (label(256), "of its {rows} {split} labels, 2 are not from 0 to 255"),
        (lambda images, labels: (images, labels[:-1]), "its {split} labels are not {rows} integers, one an image"),
        (lambda images, labels: (images[:0], labels[:0]), "its {split} images are 0 rows of 784 pixels"),
        (lambda images, labels: (images[:, :0], labels), "its {split} images are {rows} rows of 0 pixels"),
    ],
)
def test_what_is_no_data_set_is_refused_with_its_rows_in_either_direction(tmp_path, split, change, line):
    pairs = some_pairs()
    rows = len(pairs[split][0])
    pairs[split] = change(*pairs[split])
    path = tmp_path / "own.pkl.gz"
    path.write_bytes(gzip.compress(pickle.dumps(pairs)))
    expected = line.format(rows=rows, split=SPLITS[split])
    with pytest.raises(UserError) as raised:
        read_pairs(path)
    assert f"{raised.value}" == f"{path}: {expected}"
    with pytest.raises(UserError) as raised:
        write_pairs(tmp_path / "new.pkl.gz", pairs)
    assert f"{raised.value}" == f"{tmp_path}/new.pkl.gz was not written: {expected}"
    assert not (tmp_path / "new.pkl.gz").exists()


def test_splits_of_different_sizes_of_images_are_refused(tmp_path):
    pairs = [*some_pairs()[:2], some_pairs(side=20)[2]]
    (tmp_path / "own.pkl.gz").write_bytes(gzip.compress(pickle.dumps(pairs)))
    with pytest.raises(UserError, match=r"own\.pkl\.gz: its test images have 400 pixels, its train images 784"):
        read_pairs(tmp_path / "own.pkl.gz")


def test_class_of_a_single_image_cannot_be_drawn_evenly():
    labels = np.repeat([0, 1, 2], [50, 49, 1])
    assert len(stratified_rows(labels, 100)) == 100
    with pytest.raises(UserError, match="sample: class number 2 has a single row of the 100"):
        stratified_rows(labels, 30)


@pytest.fixture
def own(fresh, tmp_path):
    """The workflow with data of one's own: own(pairs) writes them, and configures it."""
    workflow = fresh.copy(tmp_path / "workflow")

    def configure(pairs: list[tuple[np.ndarray, np.ndarray]], **changes) -> Workflow:
        (workflow.folder / "own.pkl.gz").write_bytes(gzip.compress(pickle.dumps(pairs), 1))
        workflow.configure(datasets={"Small": {"pickle": "own.pkl.gz"}}, **QUICK)
        workflow.configure(**changes)
        return workflow

    return configure


def check_maps(workflow: Workflow, layers: tuple[str, ...], rows: int) -> None:
    """Run to all figures of the layers; the maps are finite."""
    workflow.configure(layers=list(layers))
    result = workflow.run()
    assert result.returncode == 0, result.stderr
    for layer in layers:
        coordinates = np.load(workflow.folder / f"results/Small/maps/{layer}.npy")
        assert coordinates.shape == (rows, 2) and np.isfinite(coordinates).all()
        facts = json.loads((workflow.folder / f"results/Small/maps/{layer}.json").read_text())
        assert np.isfinite(facts["kl_divergence"])
        for kind in ("", "_embed"):
            assert (workflow.folder / f"results/figures/Small_tSNE_{layer}{kind}.eps").stat().st_size > 1000


def test_one_image_5000_times_of_a_single_class_is_mapped(own, pairs):
    image = pairs[0][0][:1]
    same = [(np.repeat(image, n, axis=0), np.full(n, 7)) for n in (5000, 100, 50)]
    check_maps(own(same), ("pixel", "dense3"), rows=5000)


def test_constant_images_with_a_class_that_only_the_validation_has_are_mapped(own):
    blank = [(np.zeros((n, 784), np.float32), np.arange(n) % classes) for n, classes in ((300, 8), (50, 10), (50, 10))]
    check_maps(own(blank), ("conv1",), rows=300)


def test_not_a_number_stops_the_reader_and_too_few_rows_the_search(own):
    pairs = some_pairs()
    damaged = [pixel(np.nan)(*pairs[0]), *pairs[1:]]
    error = only_error(own(damaged).run("--", "results/Small/data/train_images.npy"))
    assert "own.pkl.gz: of its 40 train images, 2 have pixels that are not in [0, 1)" in error
    error = only_error(own(pairs).run("--", "results/Small/neighbors/pixel.npz"))
    assert error.startswith("45 neighbors of each image are asked for") and "there are 40 images: give more" in error


def test_images_and_labels_of_different_numbers_are_not_written(parts, tmp_path):
    shorter = parts | {"train_labels": parts["train_labels"][:-1]}
    with pytest.raises(UserError, match=r"its validation labels are not 250 integers"):
        write_pairs(tmp_path / "new.pkl.gz", pairs_from_parts(shorter, validation_size=250))
