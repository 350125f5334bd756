"""Small data sets on disk, and what prepare_dataset makes of them."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
from prepare_dataset import prepare_dataset
from sklearn.datasets import load_digits

from common.readers import read_dataset
from common.readers.streams import Stream, write_rows


class Prepared(NamedTuple):
    """What prepare_dataset writes: images and labels by split, and the names of the classes."""

    images: dict[str, np.ndarray]
    labels: dict[str, np.ndarray]
    names: list[str]


@pytest.fixture(scope="session")
def digits() -> tuple[np.ndarray, np.ndarray]:
    """360 digits as bytes (n, 8, 8), and their labels (n,)."""
    digits = load_digits()
    return (digits.images[:360] * 15).astype(np.uint8), digits.target[:360]


@pytest.fixture
def prepare(tmp_path) -> Callable[..., Prepared]:
    """A function that prepares a data set: prepare(kind, files by the reader's names for them)."""

    def prepare(kind, files, size=None, classes=None, sample=None, trained=False) -> Prepared:
        source = read_dataset(kind, {name: str(path) for name, path in files.items()}, {"size": size})
        splits, names = prepare_dataset(source, classes, sample, trained)
        images = {}
        for split, (stream, rows, *_) in splits.items():
            path = tmp_path / f"prepared_{split}.npy"
            write_rows(stream, rows, path)
            images[split] = np.load(path)
        return Prepared(images, {split: labels for split, (_, _, labels, _) in splits.items()}, names)

    return prepare


@pytest.fixture
def stream_blocks() -> Callable[..., Stream]:
    """A function that returns a stream called "data" of these arrays, one a block."""

    def stream_blocks(*blocks) -> Stream:
        arrays = [np.asarray(block) for block in blocks]
        return Stream("data", (sum(map(len, arrays)), *arrays[0].shape[1:]), lambda: iter(arrays))

    return stream_blocks
