"""Small problems for t-SNE, and a mock of the library for the GPU."""

import warnings
from collections.abc import Callable

import numpy as np
import pytest
from find_neighbors import find_neighbors
from skimage.transform import rotate
from sklearn.datasets import load_digits, make_blobs
from sklearn.neural_network import MLPClassifier

from common.tsne.affinities import compute_affinities
from common.tsne.descent.pool import BlockPool
from common.tsne.start import make_start
from helpers import ROOT

N_DIGITS = 5000  # more points than are summed exactly


@pytest.fixture(scope="session")
def parameters():
    """Parameters for a few hundred points, and fewer iterations than the default."""
    schedule = {"exaggerated_iterations": 100, "iterations": 150, "momentum": 0.8, "learning_rate": 1}
    return schedule | {"perplexity": 10, "exaggeration": 12, "seed": 0}


@pytest.fixture(scope="session")
def blobs():
    """400 rows in four blobs: features (400, 30) and labels."""
    features, labels = make_blobs(400, 30, centers=4, random_state=0)
    return features.astype(np.float32), labels


@pytest.fixture(scope="session")
def neighbors(blobs):
    """The neighbors of the blobs' rows."""
    return find_neighbors([blobs[0]], 30, 30, seed=0, memory_mb=100, threads=1)[1]


@pytest.fixture(scope="session")
def affinities(neighbors):
    """Their affinities."""
    return compute_affinities(neighbors, 10, threads=1)


@pytest.fixture
def pool():
    """One thread, the calling one."""
    with BlockPool(1) as pool:
        yield pool


def problem_of(features):
    """Return the affinities of features, at the default perplexity, and the start."""
    _, neighbors = find_neighbors([features], 50, 90, seed=0, memory_mb=100, threads=1)
    return compute_affinities(neighbors, 30, threads=1), make_start(features, seed=0)


@pytest.fixture(scope="session")
def digits():
    """scikit-learn's 1,797 digits, each three times, rotated a little: pixels (N_DIGITS, 64) and labels."""
    digits = load_digits()
    rotated = [[rotate(image / 16, angle) for image in digits.images] for angle in (-12, 0, 12)]
    return np.concatenate(rotated).reshape(-1, 64)[:N_DIGITS].astype(np.float32), np.tile(digits.target, 3)[:N_DIGITS]


@pytest.fixture(scope="session")
def pixels(digits):
    """The affinities of the digits by their pixels, and the start."""
    return problem_of(digits[0])


@pytest.fixture(scope="session")
def hidden_layer(digits):
    """The affinities of the digits by a hidden layer of a network that was trained on them, and the start."""
    network = MLPClassifier(40, max_iter=30, random_state=0)
    with warnings.catch_warnings(action="ignore"):  # it is not trained to the end
        network.fit(*digits)
    return problem_of(np.maximum(digits[0] @ network.coefs_[0] + network.intercepts_[0], 0))


@pytest.fixture(scope="session")
def mocks():
    """The folder with the mock of tsnecuda."""
    return str(ROOT / "tests/mocks")


@pytest.fixture
def mock_tsnecuda(mocks, monkeypatch) -> Callable[[str], None]:
    """A function that installs the mock of tsnecuda, which then behaves in the given way."""

    def install(mode: str) -> None:
        monkeypatch.setenv("PYTHONPATH", mocks)
        monkeypatch.setenv("TSNECUDA_MOCK", mode)
        monkeypatch.syspath_prepend(mocks)

    return install
