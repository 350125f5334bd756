"""Compare ways to make the embeddings of successive epochs comparable.

PYTHONPATH=scripts:bench .venv/bin/python bench/epochs.py results/MNIST 0 1 2 5 12   # writes docs/epochs.csv

The layers of every epoch but the last one must have been searched, see network.checkpoints.
"""

import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
from align_map import align_map
from embed_tsne import r_squared
from heldout import score_points
from layer_run import LAYERS, ROOT, LayerRun, embed
from scipy.stats import spearmanr

from common.files import atomic_write
from common.inputs import load_npz
from common.scoring.parameters import N_VOTERS
from common.tsne.start import make_start, scale_start

SEED = 1004
PROCESSES = 2
OUTPUT = ROOT / "docs/epochs.csv"
WAYS = ("components", "pixels", "previous", "continued")


def embed_after(
    run: LayerRun, way: str, pixels: np.ndarray, previous: np.ndarray, seed: int
) -> tuple[np.ndarray, float]:
    """Return the embedding (n, 2) of all rows by a way, aligned to that of the pixels (n, 2), and its KL divergence.

    The start is the principal components of the features, the embedding of the pixels, or that of the epoch before,
    `previous` (n, 2); "continued" takes the latter at its own scale, without exaggeration.
    """
    if way == "continued":
        start, changes = previous.astype(float), {"exaggerated_iterations": 0}
    else:
        starts = {"components": run.rows, "pixels": pixels, "previous": previous}
        start, changes = (make_start if way == "components" else scale_start)(starts[way], seed), {}
    coordinates, divergence = embed(run.joint_neighbors, start, seed, **changes)
    return align_map(coordinates, coordinates, pixels), divergence


def measure_moves(coordinates: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return how far each point moves from one embedding (n, 2) to another, relative to their size, (n,)."""
    one, other = (points / np.sqrt((points**2).sum(axis=1).mean()) for points in (coordinates, others))
    return np.linalg.norm(one - other, axis=1)


def share_lost(run: LayerRun, other: LayerRun) -> np.ndarray:
    """Return the share of the nearest training images of each training image that it loses to another epoch, (n,)."""
    found, kept = (
        load_npz(each.folder / f"neighbors/{each.layer}.npz")["indices"][:, :N_VOTERS] for each in (run, other)
    )
    return 1 - (found[:, :, None] == kept[:, None, :]).any(axis=2).mean(axis=1)


def follow(task: tuple[str, str], folder: Path, epochs: list[int], pixels: np.ndarray) -> list[dict]:
    """Return a row for each epoch of a layer that is embedded in one way.

    `moved` is the median move since the epoch before, `moved_without_change` that of an embedding of the same features
    that starts as the next epoch's would, with another seed; `correlation` is the rank correlation of the moves with
    the shares of neighbors that are lost.
    """
    layer, way = task
    table, previous, before = [], pixels, None
    for number, epoch in enumerate(epochs):
        run = LayerRun(folder, layer if number == len(epochs) - 1 else f"{layer}-epoch{epoch}")
        train = slice(len(run.features[0]))
        coordinates, divergence = embed_after(run, way, pixels, previous, SEED)
        again, _ = embed_after(run, way, pixels, coordinates, SEED + 1)
        by_split = run.split_rows(coordinates)
        scores = score_points(run, "test", by_split[-1], by_split[0])
        row = {"layer": layer, "way": way, "epoch": epoch, "kl_divergence": divergence, **scores}
        row["r_squared"] = r_squared(coordinates[train], pixels[train])
        row["moved_without_change"] = float(np.median(measure_moves(again[train], coordinates[train])))
        if before:
            moves = measure_moves(previous[train], coordinates[train])
            row["moved"] = float(np.median(moves))
            row["correlation"] = float(spearmanr(moves, share_lost(before, run))[0])
        table.append(row)
        previous, before = coordinates, run
    return table


if __name__ == "__main__":
    folder, epochs = Path(sys.argv[1]), [int(epoch) for epoch in sys.argv[2:]]
    pixels = np.concatenate(LayerRun(folder, "pixel").coordinates)
    tasks = [(layer, way) for layer in LAYERS[1:] for way in WAYS]
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        rows = pool.map(partial(follow, folder=folder, epochs=epochs, pixels=pixels), tasks)
        table = pd.DataFrame([row for found in rows for row in found])
    with atomic_write(OUTPUT) as part:
        table.to_csv(part, index=False, float_format="%.6g")
    print(table.to_string())
