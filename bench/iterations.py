"""Measure how the KL divergence and the scores of an embedding change with the number of iterations.

PYTHONPATH=scripts:bench .venv/bin/python bench/iterations.py results/MNIST   # writes docs/iterations.csv
"""

import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
from layer_run import LAYERS, ROOT, SHOWN, TSNE, LayerRun, embed

from common.files import atomic_write
from common.tsne.start import make_start, scale_start

SEED = 1004
ITERATIONS = (300, 500, 750, 1000, 2000)
PROCESSES = 2
OUTPUT = ROOT / "docs/iterations.csv"


def measure(task: tuple[str, int], folder: Path) -> dict:
    """Return the row of the table for a layer and a number of iterations."""
    layer, iterations = task
    run = LayerRun(folder, layer)
    if layer == "pixel":
        start = make_start(run.rows, SEED)
    else:
        pixels = LayerRun(folder, "pixel").coordinates
        start = scale_start(np.concatenate(pixels), SEED)
    without_exaggeration = iterations - TSNE["exaggerated_iterations"]
    coordinates, divergence = embed(run.joint_neighbors, start, SEED, iterations=without_exaggeration)
    scores = run.score(run.split_rows(coordinates))
    row = {"layer": layer, "iterations": iterations, "kl_divergence": divergence}
    return row | {f"{score}_{split}": scores[split][score] for split in ("train", "test") for score in SHOWN}


if __name__ == "__main__":
    tasks = [(layer, iterations) for layer in LAYERS for iterations in ITERATIONS]
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        table = pd.DataFrame(list(pool.map(partial(measure, folder=Path(sys.argv[1])), tasks)))
    with atomic_write(OUTPUT) as part:
        table.to_csv(part, index=False, float_format="%.6g")
    print(table.to_string())
