"""Draw how the training went."""

import matplotlib
import pandas as pd
from matplotlib.figure import Figure

from common.figures import SMALL, save_figure
from common.jobs import job
from common.tables import load_table

SIZE = (7.0, 2.4)  # inches
DPI = 300
COLORS = {"": "#717581", "val_": "#bd1f01"}
NAMES = {"": "training", "val_": "validation"}
COLUMNS = ("epoch", "batch_size", "loss", "accuracy", "val_loss", "val_accuracy")


def plot_history(history: pd.DataFrame) -> Figure:
    """A figure of a training's loss and share of wrong labels, a point an epoch, from its history.

    Columns: epoch, batch_size, loss, accuracy, val_loss, val_accuracy. A line marks where the batches change.
    """
    figure = Figure(SIZE, layout="constrained")
    measures = {
        "cross-entropy (nats)": lambda prefix: history[f"{prefix}loss"],
        "wrong labels (%)": lambda prefix: 100 * (1 - history[f"{prefix}accuracy"]),
    }
    panels = figure.subplots(1, 2)
    for axes, (name, values) in zip(panels, measures.items(), strict=True):
        for prefix, color in COLORS.items():
            axes.plot(history.epoch, values(prefix), "o-", color=color, label=NAMES[prefix], markersize=3, linewidth=1)
        changes = history.epoch[history.batch_size.diff().fillna(0) != 0]
        for epoch in changes:
            axes.axvline(epoch - 0.5, color="#b9b9b9", linewidth=0.6, linestyle=(0, (4, 3)))
        for epoch in [history.epoch.iloc[0], *changes]:
            size = history.batch_size[history.epoch == epoch].iloc[0]
            place = {"xy": (epoch - 0.45, 1.02), "xycoords": ("data", "axes fraction"), "va": "bottom"}
            axes.annotate(f"batches of {size}", size=6.5, color="#717581", **place)
        axes.set_xlabel("epoch")
        axes.set_ylabel(name)
        axes.set_xlim(0.5, len(history) + 0.5)
        axes.set_ylim(bottom=0)
        axes.xaxis.get_major_locator().set_params(integer=True)
    panels[0].legend(loc="center right")
    return figure


if __name__ == "__main__":
    with job(snakemake.log[0], "plot_history"), matplotlib.rc_context(SMALL):
        figure = plot_history(load_table(snakemake.input.history, *COLUMNS))
        save_figure(figure, snakemake.output.eps, snakemake.output.png, DPI)
