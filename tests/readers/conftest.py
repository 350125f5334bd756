"""Small data sets on disk, what prepare_dataset makes of them, and the scripts run in this process."""

import io
import json
import runpy
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pytest
from prepare_dataset import prepare_dataset
from sklearn.datasets import load_digits

from common.names import SPLITS
from common.readers import read_dataset
from common.readers.streams import Stream, write_rows
from helpers import ROOT


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
        splits, names = prepare_dataset(source, classes, sample, trained, None)
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
