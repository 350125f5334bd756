"""Whole runs with odd data: the maps are finite, or one line says what is wrong."""

import gzip
import json
import pickle

import numpy as np
import pytest

from helpers import Workflow, only_error

pytestmark = pytest.mark.slow
GENERATOR = np.random.default_rng(0)
QUICK = {
    "network": {"schedule": [{"epochs": 1, "batch_size": 64}]},
    "tsne": {"exaggerated_iterations": 20, "iterations": 30},
}


def some_pairs() -> list[tuple[np.ndarray, np.ndarray]]:
    images = (GENERATOR.integers(0, 256, (60, 784)) / 256).astype(np.float32)
    return [(images[start:stop], np.arange(start, stop) % 10) for start, stop in ((0, 40), (40, 50), (50, 60))]


@pytest.fixture
def own(fresh, tmp_path):
    """A function that returns the workflow, configured for the pairs that it writes: own(pairs, **settings)."""
    workflow = fresh.copy(tmp_path / "workflow")

    def configure(pairs: list[tuple[np.ndarray, np.ndarray]], **changes) -> Workflow:
        (workflow.folder / "own.pkl.gz").write_bytes(gzip.compress(pickle.dumps(pairs), 1))
        workflow.configure(datasets={"Small": {"pickle": "own.pkl.gz"}}, **QUICK)
        workflow.configure(**changes)
        return workflow

    return configure


def check_maps(workflow: Workflow, layers: tuple[str, ...], rows: int) -> None:
    """Fail unless a run draws all figures of the layers, and their maps are finite."""
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


def test_constant_images_with_a_class_that_is_missing_in_training_are_mapped(own):
    blank = [(np.zeros((n, 784), np.float32), np.arange(n) % classes) for n, classes in ((300, 8), (50, 10), (50, 10))]
    check_maps(own(blank), ("conv1",), rows=300)


def test_nan_stops_the_reader_and_too_few_rows_the_search(own):
    pairs = some_pairs()
    images = pairs[0][0].copy()
    images[[3, 5], 7] = np.nan
    error = only_error(own([(images, pairs[0][1]), *pairs[1:]]).run("--", "results/Small/data/train_images.npy"))
    assert "own.pkl.gz is not a valid mnist.pkl.gz: 2 of its 40 train images have pixels outside [0, 1)" in error
    few = [(pairs[0][0][:30], pairs[0][1][:30]), *pairs[1:]]
    error = only_error(own(few).run("--", "results/Small/neighbors/pixel.npz"))
    assert error == "There are 30 training images, and the scores need at least 31. Give more training images."
