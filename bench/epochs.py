"""Compare four ways to embed a layer after successive epochs, so that the embeddings can be compared with each other.

PYTHONPATH=scripts:bench .venv/bin/python bench/epochs.py results/MNIST 0 1 2 5   # writes docs/epochs.csv

The run in the folder needs these epochs in network.checkpoints; its last epoch is added.
"""

import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
from align_map import align_map
from embed_tsne import r_squared
from layer_run import LAYERS, ROOT, SHOWN, TSNE, LayerRun, embed

from common.files import atomic_write
from common.tsne.start import make_start, scale_start

SEED = 1004
PROCESSES = 2
OUTPUT = ROOT / "docs/epochs.csv"
WAYS = ("components", "reference", "previous", "continued")
LAST = "last"
WITHOUT_EXAGGERATION = {
    "exaggerated_iterations": 0,
    "iterations": TSNE["exaggerated_iterations"] + TSNE["iterations"],
}


def name_layer(layer: str, epoch: str) -> str:
    """Return the name of a layer's files after an epoch; those of the last one have the name of the layer."""
    return layer if epoch == LAST else f"{layer}-epoch{epoch}"


def embed_epoch(way: str, run: LayerRun, pixels: np.ndarray, previous: np.ndarray | None) -> tuple[np.ndarray, float]:
    """Return the embedding (n, 2) of a layer after one epoch, and its KL divergence.

    It starts from the layer's principal `components`, from the embedding of the `pixels` (n, 2), the reference, or from
    the `previous` epoch's embedding (n, 2), scaled down or, if it is "continued", as it is and without exaggeration.
    The first epoch, which has none before it, starts from the reference.
    """
    if way == "components":
        return embed(run.joint_neighbors, make_start(run.rows, SEED), SEED)
    if way == "continued" and previous is not None:
        return embed(run.joint_neighbors, previous.astype(float), SEED, **WITHOUT_EXAGGERATION)
    start = pixels if way == "reference" or previous is None else previous
    return embed(run.joint_neighbors, scale_start(start, SEED), SEED)


def measure_moves(coordinates: np.ndarray, previous: np.ndarray) -> dict[str, float]:
    """Return how far the points of an embedding (n, 2) have moved since the previous one, which has the same rows.

    `moved` is the median distance after alignment, as a share of the root mean square distance from the center, and
    `r_squared` the share of the previous embedding's variance that the embedding explains.
    """
    aligned = align_map(coordinates, coordinates, previous)
    centered = previous - previous.mean(axis=0)
    radius = np.sqrt((centered**2).sum(axis=1).mean())
    distances = np.linalg.norm(aligned - centered, axis=1)
    return {"moved": float(np.median(distances) / radius), "r_squared": r_squared(coordinates, previous)}


def measure(task: tuple[str, str], folder: Path, epochs: Sequence[str]) -> list[dict]:
    """Return the rows of the table for a layer and a way, one for each epoch."""
    layer, way = task
    pixels = np.concatenate(LayerRun(folder, "pixel").coordinates)
    rows, previous = [], None
    for epoch in epochs:
        run = LayerRun(folder, name_layer(layer, epoch))
        coordinates, divergence = embed_epoch(way, run, pixels, previous)
        scores = run.score(run.split_rows(coordinates))
        row = {"layer": layer, "way": way, "epoch": epoch, "kl_divergence": divergence}
        row |= measure_moves(coordinates, previous) if previous is not None else {}
        rows.append(row | {f"{score}_test": scores["test"][score] for score in SHOWN})
        previous = coordinates
    return rows


def flatten(tables: Iterator[list[dict]]) -> pd.DataFrame:
    """Return the rows of several tables as one."""
    return pd.DataFrame([row for table in tables for row in table])


if __name__ == "__main__":
    folder, epochs = Path(sys.argv[1]), [*sys.argv[2:], LAST]
    tasks = [(layer, way) for layer in LAYERS[1:] for way in WAYS]
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        table = flatten(pool.map(partial(measure, folder=folder, epochs=epochs), tasks))
    with atomic_write(OUTPUT) as part:
        table.to_csv(part, index=False, float_format="%.6g")
    print(table.to_string())
