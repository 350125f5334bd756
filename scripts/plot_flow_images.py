"""Draw the images that turn from wrong to right, and back, from layer to layer."""

from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from common.figures.class_names import shorten
from common.figures.files import save_figure
from common.figures.fonts import style_names
from common.figures.style import ANNOTATION, DPI, FLOW_COLORS, PAGE_STYLE, PAGE_WIDTH
from common.inputs import load_array, load_classes
from common.logs import run_logged
from common.names import SPLITS
from common.scoring.changes import Answers, explain_missing, find_changes, has_changes, load_answers

COLUMNS = 14  # images of a change that are shown, at most
GAP = 0.06  # inches between images
HEADER, ANSWER = 0.2, 0.28  # inches: the name of a change, above its images, and the answers below an image
MAX_NAME = 9  # characters of a class name
TYPE_SIZE = 5  # points, of the answers
MAX_LINE = 10  # characters of two answers that stand in one line
MAX_PIXELS = 64  # side of the images that EPS stores as they are


def write_answers(before: str, after: str) -> str:
    """Return the answers before and after a change, in two lines if one is too long for an image."""
    before, after = shorten(before, MAX_NAME), shorten(after, MAX_NAME)
    return f"{before} → {after}" if len(before + after) + 3 <= MAX_LINE else f"{before}\n→ {after}"


def draw_images(figure: Figure, top: float, images: np.ndarray, texts: list[str], style: dict[str, Any]) -> None:
    """Draw images (m, height, width, 1 or 3) in a row, whose upper edge is `top` inches high, each above its text.

    `style` has properties of the texts.
    """
    width, height = figure.get_size_inches()
    side = PAGE_WIDTH / COLUMNS - GAP
    for at, (image, text) in enumerate(zip(images, texts, strict=True)):
        left, bottom = at * (side + GAP) + GAP / 2, top - side
        axes = figure.add_axes((left / width, bottom / height, side / width, side / height))
        axes.set_axis_off()
        shown = np.clip(image, 0, 1)
        pixels = {"cmap": "gray_r", "vmin": 0, "vmax": 1}
        if max(shown.shape[:2]) <= MAX_PIXELS:
            pixels["interpolation"] = "none"  # of equal pixels, also in EPS
        axes.imshow(shown[..., 0] if shown.shape[2] == 1 else shown, **pixels)
        center = (left + side / 2) / width
        placed = {"ha": "center", "va": "top", "size": TYPE_SIZE, "parse_math": False}
        figure.text(center, (bottom - 0.02) / height, text, **placed | style)


def plot_flow_images(answers: Answers | None, images: np.ndarray, classes: list[str], layers: list[str]) -> Figure:
    """Return a figure with images (n, height, width, channels) of each change, and the answers before and after it.

    Of more than COLUMNS images, some are drawn at random.
    """
    if not has_changes(answers):
        figure = Figure((PAGE_WIDTH, 1))
        text = explain_missing(answers, layers)
        figure.text(0.5, 0.5, text, ha="center", va="center", color=ANNOTATION, parse_math=False)
        return figure
    rows = [
        (change, kind, getattr(change, kind)) for change in find_changes(answers) for kind in ("corrected", "broken")
    ]
    side = PAGE_WIDTH / COLUMNS - GAP
    height = sum(HEADER + (side + ANSWER if len(changed) else 0) for *_, changed in rows)
    figure, top = Figure((PAGE_WIDTH, height)), height
    of_names = style_names([shorten(name, MAX_NAME) for name in classes])
    for change, kind, changed in rows:
        chosen = np.sort(np.random.default_rng(0).permutation(changed)[:COLUMNS])
        shown = f", {len(chosen)} shown" if len(chosen) < len(changed) else ""
        header = f"{change.before} → {change.after}: {len(changed):,} {kind}{shown}"
        style = {"color": FLOW_COLORS[kind], "size": 7, "va": "top", "parse_math": False}
        figure.text(GAP / 2 / PAGE_WIDTH, (top - 0.03) / height, header, **style)
        top -= HEADER
        if len(chosen):
            before, after = (answers.by_stage[stage][chosen] for stage in (change.before, change.after))
            texts = [write_answers(classes[old], classes[new]) for old, new in zip(before, after, strict=True)]
            draw_images(figure, top, images[chosen], texts, of_names)
            top -= side + ANSWER
    return figure


if __name__ == "__main__":
    with run_logged(snakemake.log[0], "plot_flow_images"), matplotlib.rc_context(PAGE_STYLE):
        paths, layers = snakemake.input, snakemake.params.layers
        answers = load_answers(paths.labels, dict(zip(layers, paths.outcomes, strict=True)), *paths.predictions)
        images = load_array(paths.images[SPLITS.index(answers.split if answers else "train")])
        figure = plot_flow_images(answers, images, load_classes(paths.classes), layers)
        save_figure(figure, snakemake.output.eps, snakemake.output.png, DPI)
