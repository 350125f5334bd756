"""Draw how similar the layers represent the images, before and after training."""

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from common.figures.files import save_figure
from common.figures.matrices import PANELS, plot_matrices
from common.figures.style import ANNOTATION, DPI, PAGE_STYLE, PAGE_WIDTH
from common.logs import run_logged
from common.tables import load_table

State = tuple[str, int | None]  # a layer and an epoch, None for the last


def name_state(state: State) -> str:
    """Return the name of a layer, before training with a note of it."""
    return state[0] if state[1] is None else f"{state[0]}, before"


def order_states(states: Sequence[State], layers: Sequence[str]) -> list[State]:
    """Return the states in the order of the layers: those without a control, those before training, then the others."""
    controlled = {layer for layer, epoch in states if epoch is not None}

    def place(state: State) -> tuple[int, int]:
        layer, epoch = state
        return (0 if layer not in controlled else 1 if epoch is not None else 2, layers.index(layer))

    return sorted(states, key=place)


def read_pairs(table: pd.DataFrame) -> dict[frozenset[State], Mapping[str, float]]:
    """Return the similarities of the pairs of the first network before and after training, from measure_similarity."""
    table = table[~((table.epoch > 0) | (table.epoch_2 > 0))]
    first = table[["network_seed", "network_seed_2"]].stack().dropna().iloc[:1]  # pixels have no seed
    pairs = {}
    for row in table.to_dict("records"):
        seeds = {row[key] for key in ("network_seed", "network_seed_2") if not pd.isna(row[key])}
        if seeds <= set(first):
            states = frozenset(
                (row[f"layer{end}"], None if pd.isna(row[f"epoch{end}"]) else int(row[f"epoch{end}"]))
                for end in ("", "_2")
            )
            pairs[states] = row
    return pairs


def plot_similarity(table: pd.DataFrame, layers: Sequence[str], noun: str = "image") -> Figure:
    """Return a figure of the table of measure_similarity for the first network, or one that says why there is none.

    The noun is "image", or what else a row is.
    """
    pairs = read_pairs(table)
    if not pairs:
        figure = Figure((PAGE_WIDTH, 1))
        text = f"There are no two layers whose features differ between {noun}s."
        figure.text(0.5, 0.5, text, ha="center", va="center", color=ANNOTATION)
        return figure
    states = order_states(list(dict.fromkeys(state for pair in pairs for state in pair)), layers)
    names = [name_state(state) for state in states]
    matrices = {score: np.full((len(states), len(states)), np.nan) for score in PANELS}
    for score, values in matrices.items():
        for row, first in enumerate(states):
            for column, second in enumerate(states[:row]):
                values[row, column] = pairs[frozenset((first, second))][score]
    return plot_matrices(matrices, names, f"{int(table.rows.iloc[0]):,} training {noun}s")


if __name__ == "__main__":
    with run_logged(snakemake.log[0], "plot_similarity"), matplotlib.rc_context(PAGE_STYLE):
        table = load_table(snakemake.input.table, "layer", "epoch", "layer_2", "epoch_2", "cka", "overlap")
        figure = plot_similarity(table, snakemake.params.layers, snakemake.params.noun)
        save_figure(figure, snakemake.output.eps, snakemake.output.png, DPI)
