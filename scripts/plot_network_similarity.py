"""Draw how similar the layers of several networks represent the same images."""

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from common.figures.files import save_figure
from common.figures.matrices import PANELS, draw_matrix
from common.figures.style import ANNOTATION, DPI, PAGE_STYLE, PAGE_WIDTH
from common.logs import run_logged
from common.tables import load_table


def plot_network_similarity(table: pd.DataFrame) -> Figure:
    """Return a figure of the similarity of all pairs of layers, from the table of measure_similarity."""
    ends = [table[[f"network{end}", f"layer{end}"]].agg(" ".join, axis=1) for end in ("", "_2")]
    names = list(dict.fromkeys([*ends[0], *ends[1]]))
    figure = Figure((PAGE_WIDTH, 2 * PAGE_WIDTH), layout="constrained")
    for axes, (score, title) in zip(figure.subplots(2, 1), PANELS.items(), strict=True):
        values = np.full((len(names), len(names)), np.nan)
        for first, second, value in zip(*ends, table[score], strict=True):
            row, column = sorted((names.index(first), names.index(second)), reverse=True)
            values[row, column] = value
        draw_matrix(axes, values, [name.removeprefix("pixels ") for name in names], title)
    figure.supxlabel(f"{int(table.rows.iloc[0]):,} training images", size=7, color=ANNOTATION)
    return figure


if __name__ == "__main__":
    with run_logged(snakemake.log[0], "plot_network_similarity"), matplotlib.rc_context(PAGE_STYLE):
        table = load_table(snakemake.input.table, "network", "layer", "network_2", "layer_2", "cka", "overlap", "rows")
        save_figure(plot_network_similarity(table), snakemake.output.eps, snakemake.output.png, DPI)
