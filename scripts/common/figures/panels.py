"""Panels of embeddings beside each other, in the same colors, each with its scores."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from common.figures.class_names import name_classes, shorten, type_size
from common.figures.fonts import style_names
from common.figures.maps import draw_map, draw_rings, find_frame
from common.figures.palette import class_colors
from common.figures.style import ANNOTATION, PAGE_WIDTH
from common.names import SPLITS

MAX_COLUMNS = 4
TITLE_HEIGHT, HEADER_HEIGHT, SCORE_LINE = 0.2, 0.13, 0.115  # inches: a layer's name, a row's header, a line of scores
LEGEND_MARGIN, LEGEND_LINE = 0.07, 0.13  # inches above the legend, and for each of its lines
MAX_LEGEND = 40  # classes; nobody can tell more colors apart
TYPE_SIZE = 6.5  # points
MAX_WIDTH = 0.97  # of a layer's name and caption, relative to the panel
MIN_NAME_SIZE = 5.5  # points, of the class names
CAPTION = {"kNN accuracy": ("knn_accuracy_map", 1), "kNN preservation": ("knn_preservation_10", 0)}  # with decimals

Rows = Mapping[str, np.ndarray]  # coordinates (n, 2), labels (n,) or rows to mark, by group of images
Stage = str  # BEFORE, AFTER, or "" of layers without a control
BEFORE, AFTER = "before training", "after training"


def make_caption(scores: Mapping[str, Any], reference: str) -> str:
    """Return the lines under an embedding: its scores by split in percent, and its R^2 to that of the reference layer.

    What is unknown, without labels or without held-out images, is left out.
    """
    lines = []
    for name, (score, decimals) in CAPTION.items():
        values = [scores[split][score] for split in SPLITS if scores[split][score] is not None]
        if values:
            lines.append(f"{name} {' / '.join(f'{100 * value:.{decimals}f}' for value in values)} %")
    if scores["r_squared"] is not None:
        lines.append(f"R² to {reference} {scores['r_squared']:.2f}")
    return "\n".join(lines)


def shrink_texts(texts: Sequence[Text], width: float) -> None:
    """Reduce the type size of texts, of all alike, if one is wider than `width` inches."""
    widest = max(1, *(text.get_window_extent().width for text in texts)) / texts[0].figure.dpi
    for text in texts:
        text.set_size(text.get_size() * min(1, width / widest))


def add_legend(figure: Figure, names: Sequence[str], colors: np.ndarray, of_names: Mapping[str, Any]) -> int:
    """Add a legend of the class names at the foot of a figure, and return its number of lines.

    `of_names` has properties of their texts.
    """
    handles = [Line2D([], [], marker="o", linestyle="", markersize=4, markeredgewidth=0, color=one) for one in colors]
    gap, dot = 0.8, 2.0  # between columns, and for a dot, in units of the type size
    probe = [figure.text(0, 0, name, size=TYPE_SIZE, parse_math=False, **of_names) for name in names]
    widths = [text.get_window_extent().width / figure.dpi + (gap + dot) * TYPE_SIZE / 72 for text in probe]
    for text in probe:
        text.remove()
    columns = max(1, min(len(names), int(figure.get_figwidth() / max(widths))))
    if sum(widths) <= figure.get_figwidth():
        columns = len(names)
    blank = [str(number) for number in range(len(names))]  # matplotlib omits a name that begins with _
    style = {"handletextpad": 0, "columnspacing": gap, "borderpad": 0.2, "handlelength": dot, "labelspacing": 0.2}
    legend = figure.legend(
        handles, blank, loc="lower center", ncols=columns, fontsize=TYPE_SIZE, frameon=False, **style
    )
    for text, name in zip(legend.get_texts(), names, strict=True):
        text.set(text=name, parse_math=False, **of_names)
    return math.ceil(len(names) / columns)


def list_rows(maps: Mapping[str, Mapping[Stage, Rows]]) -> list[tuple[Stage, str]]:
    """Return the stage and the group of images of each row of panels; BEFORE comes before AFTER."""
    found = {stage: list(groups) for by_stage in maps.values() for stage, groups in by_stage.items()}
    if len(found) > 1:
        found.pop("", None)
    return [(stage, group) for stage in sorted(found, reverse=True) for group in found[stage]]


def draw_panels(
    maps: Mapping[str, Mapping[Stage, Rows]],
    labels: Rows,
    classes: Sequence[str],
    captions: Mapping[str, Mapping[Stage, str]],
    palette: str | Sequence[str],
    note: str = "",
    wrong: Rows | None = None,
    columns: int = MAX_COLUMNS,
    one_frame: bool = False,
) -> Figure:
    """Return a figure of embeddings: a column for each layer, with a panel for each stage and group of images.

    `maps` are coordinates (n, 2) by layer, stage and group, such as "training images"; the panels of a layer have the
    same frame. `captions` stand under the panels of each stage. `labels` (n,) number the names `classes`, which are
    empty without labels. A legend lists the classes, unless there are more than MAX_LEGEND, after the `note` on the
    captions. `wrong` has the rows to mark by rings in the last stage, by group. There are at most so many `columns`,
    and then more rows of layers. With `one_frame`, all panels have the same frame.
    """
    classes = [shorten(name) for name in classes]
    colors, rows = class_colors(palette, len(classes)), list_rows(maps)
    columns = min(columns, len(maps))
    side = PAGE_WIDTH / max(columns, 2)
    figure = Figure((side * columns, 1))
    lines = 0
    if 0 < len(classes) <= MAX_LEGEND:
        present = np.unique(np.concatenate(list(labels.values())))
        lines = add_legend(figure, [classes[label] for label in present], colors[present], style_names(classes))
    texts = [caption for by_stage in captions.values() for caption in by_stage.values()]
    caption_height = 0.05 + SCORE_LINE * max(text.count("\n") + 1 for text in texts)
    stages = list(dict.fromkeys(stage for stage, _ in rows))
    block = TITLE_HEIGHT + len(rows) * (HEADER_HEIGHT + side) + len(stages) * caption_height
    height = math.ceil(len(maps) / columns) * block + LEGEND_MARGIN + (lines + bool(note)) * LEGEND_LINE
    figure.set_figheight(height)
    names, headers, below = [], [], []  # texts
    for number, (layer, by_stage) in enumerate(maps.items()):
        top = height - number // columns * block
        left, center = number % columns / columns, (number % columns + 0.5) / columns
        centered = {"ha": "center", "va": "top", "parse_math": False}
        names.append(figure.text(center, (top - 0.02) / height, layer, weight="bold", size=8, **centered))
        top -= TITLE_HEIGHT
        framed = maps.values() if one_frame else [by_stage]
        points = [points for stages in framed for groups in stages.values() for points in groups.values()]
        frame = find_frame(np.concatenate(points))
        for (stage, group), (next_stage, _) in zip(rows, [*rows[1:], (None, "")], strict=True):
            top -= HEADER_HEIGHT + side
            # The pixels, which are not trained, stand beside the layers after training.
            known = by_stage.get(stage, by_stage.get("") if stage == stages[-1] else None)
            if known is not None:
                header = (f"{stage}: " if stage in by_stage and stage else "") + f"{len(labels[group]):,} {group}"
                place = (center, (top + HEADER_HEIGHT + side) / height)
                headers.append(figure.text(*place, header, size=TYPE_SIZE, color=ANNOTATION, **centered))
                axes = figure.add_axes((left, top / height, 1 / columns, side / height))
                marked = wrong[group] if wrong and stage == stages[-1] else None
                draw_panel(axes, known[group], labels[group], classes, colors, side, frame, marked)
            if next_stage != stage:
                caption = captions[layer].get(stage, captions[layer].get("", "") if stage == stages[-1] else "")
                below.append(figure.text(center, (top - 0.03) / height, caption, size=TYPE_SIZE, **centered))
                top -= caption_height
    shrink_texts(names, MAX_WIDTH * side)
    shrink_texts(headers, MAX_WIDTH * side)
    shrink_texts(below, MAX_WIDTH * side)
    if note:
        bottom = (lines + 1) * LEGEND_LINE / height
        figure.text(0.5, bottom, note, ha="center", va="top", size=TYPE_SIZE, color=ANNOTATION)
    return figure


def draw_panel(
    axes: Axes,
    coordinates: np.ndarray,
    labels: np.ndarray,
    classes: Sequence[str],
    colors: np.ndarray,
    side: float,
    frame: tuple[np.ndarray, float],
    marked: np.ndarray | None,
) -> None:
    """Draw an embedding (n, 2) with the names of its classes, and rings around the rows that are `marked`, if any."""
    draw_map(axes, coordinates, labels, colors, side, frame=frame)
    if marked is not None:
        draw_rings(axes, coordinates[marked], labels[marked], colors, side)
    if classes:
        name_classes(axes, coordinates, labels, classes, colors, max(MIN_NAME_SIZE, type_size(classes, side)))
