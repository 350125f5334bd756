"""Draw the loss and the error rate over the epochs of training."""

import matplotlib
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from common.figures.files import save_figure
from common.figures.style import ANNOTATION, DPI, GUIDE, GUIDE_COLOR, PAGE_STYLE, PAGE_WIDTH, SPLIT_COLORS
from common.logs import run_logged
from common.tables import load_table

HEIGHT = 2.4  # inches
PREFIXES = {"training": "", "validation": "val_"}  # of the columns
COLUMNS = ("epoch", "batch_size", "loss", "accuracy", "val_loss", "val_accuracy")


def plot_history(history: pd.DataFrame) -> Figure:
    """Return a figure of a training's loss and error rate, one point an epoch, from its history.

    Columns: epoch, batch_size, loss, accuracy, val_loss, val_accuracy. A line marks a change of the batch size.
    """
    figure = Figure((PAGE_WIDTH, HEIGHT), layout="constrained")
    measures = {
        "cross-entropy (nats)": lambda prefix: history[f"{prefix}loss"],
        "wrong labels (%)": lambda prefix: 100 * (1 - history[f"{prefix}accuracy"]),
    }
    panels = figure.subplots(1, 2)
    for axes, (name, measure) in zip(panels, measures.items(), strict=True):
        for split, prefix in PREFIXES.items():
            if history[f"{prefix}loss"].isna().all():  # no validation images
                continue
            style = {"color": SPLIT_COLORS[split], "label": split, "markersize": 3, "linewidth": 1}
            axes.plot(history.epoch, measure(prefix), "o-", **style)
        mark_batch_sizes(axes, history)
        axes.set_xlabel("epoch")
        axes.set_ylabel(name)
        axes.set_xlim(0.5, len(history) + 0.5)
        axes.set_ylim(bottom=0)
        axes.xaxis.get_major_locator().set_params(integer=True)
    panels[0].legend(loc="center right")
    return figure


def mark_batch_sizes(axes: Axes, history: pd.DataFrame) -> None:
    """Draw a line where the batch size changes, and write each batch size above its epochs."""
    changes = history.epoch[history.batch_size.diff().fillna(0) != 0]
    for epoch in changes:
        axes.axvline(epoch - 0.5, color=GUIDE_COLOR, **GUIDE)
    for epoch in [history.epoch.iloc[0], *changes]:
        size = history.batch_size[history.epoch == epoch].iloc[0]
        position = {"xy": (epoch - 0.45, 1.02), "xycoords": ("data", "axes fraction"), "va": "bottom"}
        axes.annotate(f"batches of {size}", size=6.5, color=ANNOTATION, **position)


if __name__ == "__main__":
    with run_logged(snakemake.log[0], "plot_history"), matplotlib.rc_context(PAGE_STYLE):
        figure = plot_history(load_table(snakemake.input.history, *COLUMNS))
        save_figure(figure, snakemake.output.eps, snakemake.output.png, DPI)
