"""Draw the scores of the layers of several networks over their relative depth, before and after training."""

from collections.abc import Sequence

import matplotlib
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from common.figures.curves import PANEL_HEIGHT, PANELS, add_panels, count_rows, draw_curve, line_style, set_score_axis
from common.figures.files import save_figure
from common.figures.network_names import describe_network
from common.figures.score_axes import convert_interval
from common.figures.style import DPI, PAGE_STYLE, PAGE_WIDTH
from common.logs import run_logged
from common.names import SPLIT_NAMES, SPLITS
from common.tables import load_table

STATES = {  # the look of the lines
    "before_training": {"linestyle": "--", "linewidth": 0.7, "markerfacecolor": "white"},
    "after_training": {"linestyle": "-", "linewidth": 1},
}
LEGEND_LINE = 0.16  # inches


def draw_panel(axes: Axes, table: pd.DataFrame, networks: Sequence[str], score: str) -> None:
    """Draw one score of all networks over the relative depth, from the rows of one split of compare_networks' table."""
    drawn = []
    for number, network in enumerate(networks):
        of_score = table[(table.network == network) & (table.score == score)]
        is_pixel = of_score.layer == "pixel"
        for state, look in STATES.items():
            of_state = of_score[~is_pixel & (of_score.state == state)]
            if len(of_state):
                rows = pd.concat([of_score[is_pixel], of_state])
                values = rows[["mean", "low", "high"]].astype(object).where(rows[["mean", "low", "high"]].notna(), None)
                intervals = [convert_interval(score, row) for row in values.to_dict("records")]
                drawn += draw_curve(axes, list(rows.depth), intervals, **line_style(number), **look)
    set_score_axis(axes, score, drawn)
    axes.set_xlim(-0.06, 1.06)
    axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])


def plot_network_scores(table: pd.DataFrame) -> Figure:
    """Return a figure of the scores of several networks, from the table of compare_networks.

    Scores are those of the last split that there is. Scores that no network has get no panel.
    """
    networks = list(dict.fromkeys(table.network))
    split = next(name for name in reversed(SPLITS) if (table.split == name).any())
    rows = table[(table.split == split) & table.layer.notna()]
    scores = [score for score in PANELS if (rows.score == score).any()]
    height = count_rows(scores) * PANEL_HEIGHT + LEGEND_LINE * (len(networks) + 2)
    figure = Figure((PAGE_WIDTH, height), layout="constrained")
    for axes, score in zip(add_panels(figure, scores, "relative depth"), scores, strict=True):
        draw_panel(axes, rows, networks, score)
    handles = [
        Line2D([], [], label=describe_network(table, network), **line_style(number))
        for number, network in enumerate(networks)
    ]
    name = SPLIT_NAMES[split]
    title = f"Scores of {name} images after training (filled) and before (hollow), with 95 % intervals"
    figure.legend(handles=handles, loc="outside lower center", title=title, title_fontsize=7)
    return figure


if __name__ == "__main__":
    with run_logged(snakemake.log[0], "plot_network_scores"), matplotlib.rc_context(PAGE_STYLE):
        columns = ("network", "parameters", "layer", "depth", "state", "split", "score", "mean", "low", "high")
        figure = plot_network_scores(load_table(snakemake.input.table, *columns))
        save_figure(figure, snakemake.output.eps, snakemake.output.png, DPI)
