"""Compare two starts of t-SNE: the embedding of the pixels, or the layer's own principal components.

PYTHONPATH=scripts:bench .venv/bin/python bench/start.py results/MNIST   # writes docs/start.csv
"""

import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
from embed_tsne import r_squared
from layer_run import LAYERS, ROOT, SHOWN, LayerRun, embed

from common.files import atomic_write
from common.inputs import load_array
from common.tsne.start import make_start, scale_start

SEEDS = (1004, 1, 2, 3, 4)
PROCESSES = 2
OUTPUT = ROOT / "docs/start.csv"


def turn_of_medians(coordinates: np.ndarray, reference: np.ndarray, labels: np.ndarray) -> list[float]:
    """Return by how many degrees each class's median is turned around the center, between two embeddings (n, 2)."""
    turns = []
    for label in np.unique(labels):
        angles = [
            np.arctan2(*(np.median(points[labels == label], axis=0) - points.mean(axis=0))[::-1])
            for points in (coordinates, reference)
        ]
        turns.append(float(np.degrees(abs((angles[0] - angles[1] + np.pi) % (2 * np.pi) - np.pi))))
    return turns


def align(coordinates: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return an embedding (n, 2) rotated or reflected to another one, as align_map does."""
    from align_map import align_map

    return align_map(coordinates, coordinates, reference)


def measure(task: tuple[str, int, str], folder: Path, pixels: dict[int, np.ndarray]) -> dict:
    """Return the row of the table for a layer, a seed and a start."""
    layer, seed, start = task
    run = LayerRun(folder, layer)
    first = scale_start(pixels[seed], seed) if start == "reference" else make_start(run.rows, seed)
    coordinates, divergence = embed(run.joint_neighbors, first, seed)
    train = slice(len(run.features[0]))
    labels = load_array(folder / "data/train_labels.npy")
    turns = turn_of_medians(align(coordinates[train], pixels[seed][train]), pixels[seed][train], labels)
    scores = run.score(run.split_rows(coordinates))
    row = {"layer": layer, "seed": seed, "start": start, "kl_divergence": divergence}
    row |= {"r_squared": r_squared(coordinates[train], pixels[seed][train])}
    row |= {"median_turn": float(np.median(turns)), "turned_by_45": sum(turn > 45 for turn in turns)}
    return row | {f"{score}_{split}": scores[split][score] for split in ("train", "test") for score in SHOWN}


def embed_pixels(seed: int, folder: Path) -> np.ndarray:
    """Return the embedding of the pixels, (n, 2)."""
    run = LayerRun(folder, "pixel")
    return embed(run.joint_neighbors, make_start(run.rows, seed), seed)[0]


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    tasks = [(layer, seed, start) for layer in LAYERS[1:] for seed in SEEDS for start in ("reference", "pca")]
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        pixels = dict(zip(SEEDS, pool.map(partial(embed_pixels, folder=folder), SEEDS), strict=True))
        rows = list(pool.map(partial(measure, folder=folder, pixels=pixels), tasks))
    table = pd.DataFrame(rows)
    with atomic_write(OUTPUT) as part:
        table.to_csv(part, index=False, float_format="%.6g")
    print(table.groupby(["layer", "start"], sort=False).agg(["mean", "min", "max"]).T.to_string())
