"""Draw how similar the layers of several networks represent the same images."""

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from common.figures.files import save_figure
from common.figures.matrices import PANELS, plot_matrices
from common.figures.style import DPI, PAGE_STYLE
from common.logs import run_logged
from common.tables import load_table


def plot_network_similarity(table: pd.DataFrame) -> Figure:
    """Return a figure of the similarity of all pairs of layers, from the table of measure_similarity."""
    ends = [
        ["pixel" if layer == "pixel" else f"{network} {layer}" for network, layer in pairs.itertuples(index=False)]
        for pairs in (table[["network", "layer"]], table[["network_2", "layer_2"]])
    ]
    names = list(dict.fromkeys([*ends[0], *ends[1]]))
    matrices = {score: np.full((len(names), len(names)), np.nan) for score in PANELS}
    for score, values in matrices.items():
        for first, second, value in zip(*ends, table[score], strict=True):
            row, column = sorted((names.index(first), names.index(second)), reverse=True)
            values[row, column] = value
    return plot_matrices(matrices, names, f"{int(table.rows.iloc[0]):,} training images")


if __name__ == "__main__":
    with run_logged(snakemake.log[0], "plot_network_similarity"), matplotlib.rc_context(PAGE_STYLE):
        table = load_table(snakemake.input.table, "network", "layer", "network_2", "layer_2", "cka", "overlap", "rows")
        save_figure(plot_network_similarity(table), snakemake.output.eps, snakemake.output.png, DPI)
