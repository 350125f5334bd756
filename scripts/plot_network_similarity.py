"""Draw how similar the layers of several networks represent the same images."""

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from common.figures.files import save_figure
from common.figures.matrices import MAX_NUMBERS, PANELS, draw_matrix
from common.figures.style import ANNOTATION, DPI, PAGE_STYLE, PAGE_WIDTH
from common.logs import run_logged
from common.tables import load_table

TALL = (5.2, 9.6)  # inches


def plot_network_similarity(table: pd.DataFrame) -> Figure:
    """Return a figure of the similarity of all pairs of layers, from the table of measure_similarity."""
    ends = [
        ["pixel" if layer == "pixel" else f"{network} {layer}" for network, layer in pairs.itertuples(index=False)]
        for pairs in (table[["network", "layer"]], table[["network_2", "layer_2"]])
    ]
    names = list(dict.fromkeys([*ends[0], *ends[1]]))
    are_few = len(names) <= MAX_NUMBERS  # few are small enough to stand side by side
    figure = Figure((PAGE_WIDTH, PAGE_WIDTH / 2 + 0.6) if are_few else TALL, layout="constrained")
    shape = (1, 2) if are_few else (2, 1)
    for axes, (score, title) in zip(figure.subplots(*shape), PANELS.items(), strict=True):
        values = np.full((len(names), len(names)), np.nan)
        for first, second, value in zip(*ends, table[score], strict=True):
            row, column = sorted((names.index(first), names.index(second)), reverse=True)
            values[row, column] = value
        draw_matrix(axes, values, names, title)
    figure.supxlabel(f"{int(table.rows.iloc[0]):,} training images", size=7, color=ANNOTATION)
    return figure


if __name__ == "__main__":
    with run_logged(snakemake.log[0], "plot_network_similarity"), matplotlib.rc_context(PAGE_STYLE):
        table = load_table(snakemake.input.table, "network", "layer", "network_2", "layer_2", "cka", "overlap", "rows")
        save_figure(plot_network_similarity(table), snakemake.output.eps, snakemake.output.png, DPI)
