"""Draw at which layer the answer of the network is found, for images that it gets right and wrong."""

from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from common.figures.files import save_figure
from common.figures.score_axes import CHARACTER, name_rotation
from common.figures.style import ANNOTATION, DPI, FLOW_COLORS, GRID_COLOR, PAGE_STYLE, PAGE_WIDTH
from common.logs import run_logged
from common.names import SPLIT_NAMES
from common.scoring.changes import Answers, load_answers
from common.scoring.depth import prediction_depths

WIDTH, HEIGHT = PAGE_WIDTH / 2, 2.2  # inches, of up to MAX_NARROW layers
MAX_NARROW = 8
BAR = 0.38  # width of a bar; layers are 1 apart
FACES = {"right": FLOW_COLORS["corrected"], "wrong": "black"}


def explain_missing(answers: Answers | None) -> str:
    """Return why there are no depths; "" if there are."""
    if answers is None:
        return "The data set has no labels."
    return "" if "network" in answers.by_stage else "There is no network that predicts these classes."


def share_depths(answers: Answers) -> dict[str, tuple[int, np.ndarray]]:
    """Return the number of images that the network gets "right" and "wrong", and their share by depth in %.

    The shares have an entry for each layer, and one for images whose answer only the network has. A group without
    images is left out.
    """
    predictions = answers.by_stage["network"]
    votes = np.array([answer for stage, answer in answers.by_stage.items() if stage != "network"])
    depths, right = prediction_depths(votes, predictions), predictions == answers.labels
    counts = {
        name: np.bincount(depths[rows], minlength=len(votes) + 1)
        for name, rows in (("right", right), ("wrong", ~right))
    }
    return {name: (int(found.sum()), 100 * found / found.sum()) for name, found in counts.items() if found.sum()}


def plot_prediction_depth(answers: Answers | None, layers: Sequence[str], noun: str = "image") -> Figure:
    """Return a histogram of the prediction depth, or a figure that says why there is none.

    The noun is "image", or what else is answered.
    """
    problem = explain_missing(answers)
    if problem:
        figure = Figure((WIDTH, 1))
        figure.text(0.5, 0.5, problem, ha="center", va="center", color=ANNOTATION)
        return figure
    names = [*layers, "network"]
    width = WIDTH if len(layers) <= MAX_NARROW else PAGE_WIDTH
    rotation = name_rotation(names, 0.8 * width)
    figure = Figure((width, HEIGHT + (max(map(len, names)) * CHARACTER if rotation else 0)), layout="constrained")
    axes = figure.subplots()
    axes.grid(axis="y", color=GRID_COLOR, linewidth=0.5)
    axes.set_axisbelow(True)
    shares = share_depths(answers)
    for number, (name, (count, share)) in enumerate(shares.items()):
        places = np.arange(len(names)) + (number - (len(shares) - 1) / 2) * BAR
        style = {"facecolor": FACES[name], "edgecolor": "black", "linewidth": 0.8}
        axes.bar(places, share, BAR, label=f"{count:,} {noun}s that the network gets {name}", **style)
    axes.set_xticks(range(len(names)), names, rotation=rotation, parse_math=False)
    axes.set_ylabel(f"{noun}s (%)")
    what = SPLIT_NAMES[answers.split]
    axes.set_xlabel(f"prediction depth, {what} {noun}s", size=7)
    axes.set_ylim(0, 130)  # with room for the legend
    axes.set_yticks(range(0, 101, 25))
    axes.legend(loc="upper right")
    return figure


if __name__ == "__main__":
    with run_logged(snakemake.log[0], "plot_prediction_depth"), matplotlib.rc_context(PAGE_STYLE):
        paths, layers = snakemake.input, snakemake.params.layers
        answers = load_answers(paths.labels, dict(zip(layers, paths.outcomes, strict=True)), *paths.predictions)
        figure = plot_prediction_depth(answers, layers, snakemake.params.noun)
        save_figure(figure, snakemake.output.eps, snakemake.output.png, DPI)
