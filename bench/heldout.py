"""Compare two ways to embed held-out images: jointly with the training images, or placed into their embedding.

PYTHONPATH=scripts:bench .venv/bin/python bench/heldout.py results/MNIST   # writes docs/heldout.csv
"""

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from layer_run import LAYERS, ROOT, TSNE, LayerRun, embed
from sklearn.neighbors import NearestNeighbors

from common.files import atomic_write
from common.inputs import load_array, load_npz
from common.knn.index import build_search, search_others
from common.knn.results import drop_self
from common.names import SPLITS, SUFFIXES
from common.scoring.parameters import N_VOTERS
from common.scoring.votes import vote
from common.tsne.perplexity import n_neighbors
from common.tsne.start import make_start, scale_start
from common.tsne.transform import transform

SEED = 1004
PLACED_ANEW = 10_000  # training images that are placed in the embedding of all, each without itself
MEMORY_MB = 2000
OUTPUT = ROOT / "docs/heldout.csv"


def score_points(
    run: LayerRun, split: str, points: np.ndarray, train_points: np.ndarray, rows: slice = slice(None)
) -> dict[str, float]:
    """Return kNN accuracy and kNN preservation of some `rows` of a split, at `points` (m, 2), among `train_points`."""
    labels, train_labels = (load_array(run.folder / f"data/{name}_labels.npy") for name in (split, "train"))
    suffix = SUFFIXES[SPLITS.index(split)]
    neighbors = load_npz(run.folder / f"neighbors/{run.layer}{suffix}.npz")["indices"][rows, :N_VOTERS]
    distances, indices = NearestNeighbors(n_neighbors=N_VOTERS + 1).fit(train_points).kneighbors(points)
    own = np.arange(len(train_points))[rows] if split == "train" else np.full(len(points), -1)
    found, _ = drop_self(indices, distances, own)
    return {
        "images": len(points),
        "knn_accuracy_map": float((vote(train_labels[found]) == labels[rows]).mean()),
        "knn_preservation_10": float((found[:, :, None] == neighbors[:, None, :]).sum(axis=(1, 2)).mean() / N_VOTERS),
    }


def search_training_rows(run: LayerRun) -> list[dict[str, np.ndarray]]:
    """Return the nearest training rows of each row, enough for t-SNE, by split."""
    k, train = n_neighbors(TSNE["perplexity"]), run.features[0]
    search, _ = build_search(train, k, SEED, MEMORY_MB, 1)
    found = [search_others(search, train, np.arange(len(train)), k), *(search(rows, k) for rows in run.features[1:])]
    return [dict(zip(("indices", "distances"), neighbors, strict=True)) for neighbors in found]


def embed_apart(run: LayerRun, pixels: np.ndarray) -> tuple[list[np.ndarray], np.ndarray, float]:
    """Return coordinates by split, of training images placed anew, and the seconds of the first, without searches."""
    neighbors, *of_held_out = search_training_rows(run)
    started = time.perf_counter()
    start = (
        make_start(run.features[0], SEED) if run.layer == "pixel" else scale_start(pixels[: len(run.features[0])], SEED)
    )
    embedding, _ = embed(neighbors, start, SEED)
    placed = [transform(embedding, neighbors, found, 1).astype(np.float32) for found in of_held_out]
    seconds = time.perf_counter() - started
    chosen = {name: found[:PLACED_ANEW] for name, found in neighbors.items()}
    return [embedding, *placed], transform(embedding, neighbors, chosen, 1).astype(np.float32), seconds


def embed_together(run: LayerRun, pixels: np.ndarray) -> tuple[list[np.ndarray], float]:
    """Return coordinates by split, and the seconds without the search."""
    started = time.perf_counter()
    start = make_start(run.rows, SEED) if run.layer == "pixel" else scale_start(pixels, SEED)
    coordinates = run.split_rows(embed(run.joint_neighbors, start, SEED)[0])
    return coordinates, time.perf_counter() - started


def compare(run: LayerRun) -> list[dict]:
    """Return a row for each way and split: its scores, and the seconds of the embedding on one thread."""
    pixels = np.concatenate(LayerRun(run.folder, "pixel").coordinates)
    apart, anew, seconds_apart = embed_apart(run, pixels)
    together, seconds_together = embed_together(run, pixels)
    table = []
    for way, coordinates, seconds in (("joint", together, seconds_together), ("placed", apart, seconds_apart)):
        for split, points in zip(SPLITS, coordinates, strict=True):
            scores = score_points(run, split, points, coordinates[0])
            table.append({"layer": run.layer, "way": way, "seconds": seconds, "split": split} | scores)
    scores = score_points(run, "train", anew, apart[0], slice(PLACED_ANEW))
    return [*table, table[-1] | {"split": "train, placed anew"} | scores]


if __name__ == "__main__":
    table = pd.DataFrame([row for layer in LAYERS for row in compare(LayerRun(Path(sys.argv[1]), layer))])
    with atomic_write(OUTPUT) as part:
        table.to_csv(part, index=False, float_format="%.6g")
    print(table.to_string())
