"""Draw how many images turn from wrong to right, and back, from layer to layer."""

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from common.figures.files import save_figure
from common.figures.style import ANNOTATION, DPI, FLOW_COLORS, GUIDE_COLOR, PAGE_STYLE, PAGE_WIDTH
from common.logs import run_logged
from common.scoring.changes import Answers, count_wrong, explain_missing, find_changes, has_changes, load_answers

HEIGHT = 3.0  # inches
BAR = 0.06  # half the width of a stage's bar; stages are 1 apart
HEADROOM = 1.35  # height of the band of right answers, relative to the highest bar
CURVE = np.linspace(0, 1, 60)
EASE = CURVE**2 * (3 - 2 * CURVE)  # from 0 to 1, level at both ends


def draw_ribbon(
    axes: Axes, x: tuple[float, float], left: tuple[float, float], right: tuple[float, float], color: str
) -> None:
    """Draw a ribbon between two places, from a lower and upper end at the left to those at the right."""
    lower, upper = (left[end] + (right[end] - left[end]) * EASE for end in (0, 1))
    axes.fill_between(x[0] + (x[1] - x[0]) * CURVE, lower, upper, color=color, linewidth=0)


def draw_flow(axes: Axes, answers: Answers) -> None:
    """Draw a bar of wrong answers for each stage, and the ribbons of images between them.

    Images that stay wrong run at the foot, corrected images up to the band of right answers, and broken ones down from
    it.
    """
    wrong, names = count_wrong(answers), list(answers.by_stage)
    top = max(1, *wrong.values())
    band = HEADROOM * top
    size = 7 if len(names) <= 6 else 5
    for at, change in enumerate(find_changes(answers)):
        start, end = at + BAR, at + 1 - BAR
        before, after = wrong[change.before], wrong[change.after]
        corrected, broken = len(change.corrected), len(change.broken)
        stay = before - corrected
        middle = (start + end) / 2
        draw_ribbon(axes, (start, end), (0, stay), (0, stay), FLOW_COLORS["wrong"])
        draw_ribbon(axes, (start, middle), (stay, before), (band - corrected, band), FLOW_COLORS["corrected"])
        draw_ribbon(axes, (middle, end), (band - broken, band), (stay, after), FLOW_COLORS["broken"])
        style = {"ha": "center", "va": "bottom", "size": size}
        axes.text(middle - 0.02, band * 1.1, f"{corrected:,} corrected", color=FLOW_COLORS["corrected"], **style)
        axes.text(middle - 0.02, band * 1.02, f"{broken:,} broken", color=FLOW_COLORS["broken"], **style)
        if stay:
            axes.text(middle, stay / 2, f"{stay:,} stay wrong", ha="center", va="center", size=size)
    axes.axhline(band, color=GUIDE_COLOR, linewidth=1, zorder=0)
    axes.text(-0.4, band * 1.02, "right", size=size, va="bottom", color=ANNOTATION)
    ticks = []
    for at, name in enumerate(names):
        axes.fill_between([at - BAR, at + BAR], 0, wrong[name], color="black", linewidth=0)
        share = 100 * wrong[name] / len(answers.labels)
        ticks.append(f"{name}\n{wrong[name]:,} wrong ({share:.2g} %)")
    axes.set_xlim(-0.4, len(names) - 0.6)
    axes.set_ylim(0, 1.2 * band)
    axes.set_xticks(range(len(names)), ticks, parse_math=False, size=size)
    axes.tick_params(bottom=False)
    axes.yaxis.set_visible(False)
    axes.spines[["left", "top", "right"]].set_visible(False)


def plot_flow(answers: Answers | None, layers: list[str]) -> Figure:
    """Return a figure of the answers of two stages or more, or one that says why there are none."""
    figure = Figure((PAGE_WIDTH, HEIGHT), layout="constrained")
    if not has_changes(answers):
        figure.text(0.5, 0.5, explain_missing(answers, layers), ha="center", color=ANNOTATION)
        return figure
    axes = figure.subplots()
    draw_flow(axes, answers)
    what = {"train": "training"}.get(answers.split, answers.split)
    text = f"{len(answers.labels):,} {what} images. Answer of a layer: vote of the 10 nearest training images."
    axes.set_xlabel(text, size=7, color=ANNOTATION)
    return figure


if __name__ == "__main__":
    with run_logged(snakemake.log[0], "plot_flow"), matplotlib.rc_context(PAGE_STYLE):
        paths, layers = snakemake.input, snakemake.params.layers
        answers = load_answers(paths.labels, dict(zip(layers, paths.outcomes, strict=True)), *paths.predictions)
        figure = plot_flow(answers, layers)
        save_figure(figure, snakemake.output.eps, snakemake.output.png, DPI)
