"""Draw how many images turn from wrong to right, and back, from layer to layer."""

import math
from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from common.figures.files import save_figure
from common.figures.style import ANNOTATION, DPI, FLOW_COLORS, GUIDE_COLOR, PAGE_STYLE, PAGE_WIDTH
from common.logs import run_logged
from common.names import SPLIT_NAMES
from common.scoring.changes import (
    Answers,
    Change,
    count_wrong,
    explain_missing,
    find_changes,
    has_changes,
    load_answers,
)

HEIGHT = 3.0  # inches, of a row
MAX_CHANGES = 6  # in a row
TYPE_SIZE = 7  # points, smaller for long names
CHARACTER = 0.64  # width of a character, relative to the type size
BAR = 0.06  # half the width of a stage's bar; stages are 1 apart
HEADROOM = 1.35  # height of the band of right answers, relative to the highest bar
LOWEST = 0.035  # height of the lowest number, relative to the band
CURVE = np.linspace(0, 1, 60)
EASE = CURVE**2 * (3 - 2 * CURVE)  # from 0 to 1, level at both ends


def split_changes(changes: Sequence[Change]) -> list[Sequence[Change]]:
    """Return the changes in rows of similar length, of at most MAX_CHANGES."""
    length = math.ceil(len(changes) / math.ceil(len(changes) / MAX_CHANGES))
    return [changes[start : start + length] for start in range(0, len(changes), length)]


def describe_stages(answers: Answers) -> dict[str, str]:
    """Return what is written under the bar of each stage."""
    shares = {name: 100 * count / len(answers.labels) for name, count in count_wrong(answers).items()}
    return {
        name: f"{name}\n{count:,} wrong ({shares[name]:{'.2g' if shares[name] < 10 else '.3g'}} %)"
        for name, count in count_wrong(answers).items()
    }


def draw_ribbon(
    axes: Axes, x: tuple[float, float], left: tuple[float, float], right: tuple[float, float], color: str
) -> None:
    """Draw a ribbon between two places, from a lower and upper end at the left to those at the right."""
    lower, upper = (left[end] + (right[end] - left[end]) * EASE for end in (0, 1))
    axes.fill_between(x[0] + (x[1] - x[0]) * CURVE, lower, upper, color=color, linewidth=0)


def draw_change(axes: Axes, at: int, change: Change, wrong: Mapping[str, int], band: float, size: float) -> None:
    """Draw the ribbons of images from a stage at `at` to the next; `wrong` has the wrong answers by stage.

    Images that stay wrong run at the foot, corrected images up to the `band` of right answers, and broken ones down
    from it.
    """
    start, end = at + BAR, at + 1 - BAR
    before, after = wrong[change.before], wrong[change.after]
    corrected, broken = len(change.corrected), len(change.broken)
    stay = before - corrected
    middle = (start + end) / 2
    draw_ribbon(axes, (start, end), (0, stay), (0, stay), FLOW_COLORS["wrong"])
    draw_ribbon(axes, (start, middle), (stay, before), (band - corrected, band), FLOW_COLORS["corrected"])
    draw_ribbon(axes, (middle, end), (band - broken, band), (stay, after), FLOW_COLORS["broken"])
    style = {"ha": "center", "size": size}
    for height, count, kind in ((1.1, corrected, "corrected"), (1.02, broken, "broken")):
        axes.text(middle, band * height, f"{count:,} {kind}", color=FLOW_COLORS[kind], va="bottom", **style)
    if stay:
        axes.text(middle, max(stay / 2, LOWEST * band), f"{stay:,} stay wrong", va="center", **style)


def draw_flow(axes: Axes, changes: Sequence[Change], answers: Answers, stages: int) -> None:
    """Draw a bar of wrong answers for each stage of some changes, in axes for a number of stages, and the changes."""
    wrong, texts = count_wrong(answers), describe_stages(answers)
    band = HEADROOM * max(1, *wrong.values())
    width = 72 * PAGE_WIDTH / (stages - 0.2)  # of a stage, in points
    longest = max(len(line) for text in texts.values() for line in text.splitlines())
    size = min(TYPE_SIZE, width / (CHARACTER * longest))
    for at, change in enumerate(changes):
        draw_change(axes, at, change, wrong, band, size)
    axes.axhline(band, color=GUIDE_COLOR, linewidth=1, zorder=0)
    axes.text(-0.4, band * 1.02, "right", size=size, va="bottom", color=ANNOTATION)
    names = [changes[0].before, *(change.after for change in changes)]
    for at, name in enumerate(names):
        axes.fill_between([at - BAR, at + BAR], 0, wrong[name], color="black", linewidth=0)
    axes.set_xlim(-0.4, stages - 0.6)
    axes.set_ylim(0, 1.2 * band)
    axes.set_xticks(range(len(names)), [texts[name] for name in names], parse_math=False, size=size)
    axes.tick_params(bottom=False)
    axes.yaxis.set_visible(False)
    axes.spines[["left", "top", "right"]].set_visible(False)


def plot_flow(answers: Answers | None, layers: list[str], noun: str = "image") -> Figure:
    """Return a figure of the answers of two stages or more, or one that says why there are none.

    Many stages stand in several rows; the last stage of a row is the first of the next. The noun is "image", or what
    else is answered.
    """
    if not has_changes(answers):
        figure = Figure((PAGE_WIDTH, 1))
        text = explain_missing(answers, layers)
        figure.text(0.5, 0.5, text, ha="center", va="center", color=ANNOTATION, parse_math=False)
        return figure
    rows = split_changes(find_changes(answers))
    figure = Figure((PAGE_WIDTH, HEIGHT * len(rows)), layout="constrained")
    panels = figure.subplots(len(rows), squeeze=False)[:, 0]
    for axes, changes in zip(panels, rows, strict=True):
        draw_flow(axes, changes, answers, len(rows[0]) + 1)
    what = SPLIT_NAMES[answers.split]
    text = f"{len(answers.labels):,} {what} {noun}s. Answer of a layer: vote of the 10 nearest training {noun}s."
    panels[-1].set_xlabel(text, size=7, color=ANNOTATION)
    return figure


if __name__ == "__main__":
    with run_logged(snakemake.log[0], "plot_flow"), matplotlib.rc_context(PAGE_STYLE):
        paths, layers = snakemake.input, snakemake.params.layers
        answers = load_answers(paths.labels, dict(zip(layers, paths.outcomes, strict=True)), *paths.predictions)
        figure = plot_flow(answers, layers, snakemake.params.noun)
        save_figure(figure, snakemake.output.eps, snakemake.output.png, DPI)
