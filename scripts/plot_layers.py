"""Draw the embeddings of all layers side by side, in the same colors, each with its scores."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from common.figures.class_names import name_classes, type_size
from common.figures.errors import find_errors
from common.figures.files import save_figure
from common.figures.maps import draw_map, draw_rings, find_frame
from common.figures.palette import class_colors
from common.figures.style import ANNOTATION, DPI, PAGE_STYLE, PAGE_WIDTH
from common.inputs import load_array, load_classes, load_json, load_rows
from common.logs import run_logged
from common.names import SPLITS
from common.tables import load_predictions

MAX_COLUMNS = 4
TITLE_HEIGHT, HEADER_HEIGHT, SCORE_LINE = 0.2, 0.13, 0.115  # inches: a layer's name, a row's header, a line of scores
LEGEND_MARGIN, LEGEND_LINE = 0.07, 0.13  # inches above the legend, and for each of its lines
MAX_LEGEND = 40  # classes; nobody can tell more colors apart
TYPE_SIZE = 6.5  # points
MAX_WIDTH = 0.97  # of a layer's name and caption, relative to the panel
MIN_NAME_SIZE = 5.5  # points, of the class names
CAPTION = {"kNN accuracy": ("knn_accuracy_map", 1), "kNN preservation": ("knn_preservation_10", 0)}  # with decimals

Rows = Mapping[str, np.ndarray]  # coordinates (n, 2) or labels (n,) by group of images


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


def add_legend(figure: Figure, names: Sequence[str], colors: np.ndarray) -> int:
    """Add a legend of the class names at the foot of a figure, and return its number of lines."""
    handles = [Line2D([], [], marker="o", linestyle="", markersize=4, markeredgewidth=0, color=one) for one in colors]
    gap, dot = 0.8, 2.0  # between columns, and for a dot, in units of the type size
    probe = [figure.text(0, 0, name, size=TYPE_SIZE, parse_math=False) for name in names]
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
        text.set_parse_math(False)
        text.set_text(name)
    return math.ceil(len(names) / columns)


def plot_layers(
    maps: Mapping[str, Rows],
    labels: Rows,
    classes: Sequence[str],
    captions: Mapping[str, str],
    palette: str | Sequence[str],
    note: str = "",
    wrong: Mapping[str, np.ndarray] | None = None,
) -> Figure:
    """Return a figure of embeddings by layer: a panel for each group of images in the same frame, and a caption.

    `maps` are coordinates (n, 2) by layer and group, such as "training", `labels` (n,) number the names `classes`,
    which are empty without labels. A legend lists the classes, unless there are more than MAX_LEGEND, after the `note`
    on the captions. `wrong` has the rows to mark by rings, by group.
    """
    colors, groups = class_colors(palette, len(classes)), list(labels)
    columns = min(MAX_COLUMNS, len(maps))
    lines_of_layers = math.ceil(len(maps) / columns)
    side = PAGE_WIDTH / max(columns, 2)
    figure = Figure((side * columns, 1))
    lines = 0
    if 0 < len(classes) <= MAX_LEGEND:
        present = np.unique(np.concatenate(list(labels.values())))
        lines = add_legend(figure, [classes[label] for label in present], colors[present])
    caption_height = 0.05 + SCORE_LINE * max(caption.count("\n") + 1 for caption in captions.values())
    block = TITLE_HEIGHT + len(groups) * (HEADER_HEIGHT + side) + caption_height
    foot = LEGEND_MARGIN + (lines + bool(note)) * LEGEND_LINE
    height = lines_of_layers * block + foot
    figure.set_figheight(height)
    names, below = [], []  # texts
    for number, (layer, coordinates) in enumerate(maps.items()):
        row, column = divmod(number, columns)
        top = height - row * block
        center = (column + 0.5) / columns
        centered = {"ha": "center", "va": "top", "parse_math": False}
        names.append(figure.text(center, (top - 0.02) / height, layer, weight="bold", size=8, **centered))
        top -= TITLE_HEIGHT
        frame = find_frame(np.concatenate(list(coordinates.values())))
        for group in groups:
            text = f"{len(labels[group]):,} {group}"
            figure.text(center, top / height, text, size=TYPE_SIZE, color=ANNOTATION, **centered)
            top -= HEADER_HEIGHT + side
            axes = figure.add_axes((column / columns, top / height, 1 / columns, side / height))
            draw_map(axes, coordinates[group], labels[group], colors, side, frame=frame)
            if wrong:
                marked = wrong[group]
                draw_rings(axes, coordinates[group][marked], labels[group][marked], colors, side)
            if classes:
                points = max(MIN_NAME_SIZE, type_size(classes, side))
                name_classes(axes, coordinates[group], labels[group], classes, colors, points)
        below.append(figure.text(center, (top - 0.03) / height, captions[layer], size=TYPE_SIZE, **centered))
    shrink_texts(names, MAX_WIDTH * side)
    shrink_texts(below, MAX_WIDTH * side)
    if note:
        bottom = (lines + 1) * LEGEND_LINE / height
        figure.text(0.5, bottom, note, ha="center", va="top", size=TYPE_SIZE, color=ANNOTATION)
    return figure


def group_splits(by_split: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return arrays by split as those of "training images" and of "held-out images", if there are any."""
    held_out = np.concatenate([by_split[split] for split in SPLITS[1:]])
    return {"training images": by_split["train"]} | ({"held-out images": held_out} if len(held_out) else {})


if __name__ == "__main__":
    with run_logged(snakemake.log[0], "plot_layers"), matplotlib.rc_context(PAGE_STYLE):
        paths, params = snakemake.input, snakemake.params
        labels = dict(zip(SPLITS, map(load_array, paths.labels), strict=True))
        maps, scores = {}, dict(zip(params.layers, map(load_json, paths.scores), strict=True))
        for number, layer in enumerate(params.layers):
            files = paths.maps[len(SPLITS) * number :][: len(SPLITS)]
            points = [load_rows(path, rows)[0] for path, rows in zip(files, paths.labels, strict=True)]
            maps[layer] = group_splits(dict(zip(SPLITS, points, strict=True)))
        wrong = None
        if paths.predictions:
            counts = {split: len(rows) for split, rows in labels.items()}
            wrong = group_splits(find_errors(load_predictions(*paths.predictions, **counts)))
        splits = [split for split, rows in labels.items() if len(rows)]
        note = (
            f"Scores in the embedding: {' / '.join({'train': 'training'}.get(split, split) for split in splits)} images"
        )
        figure = plot_layers(
            maps,
            group_splits(labels),
            load_classes(paths.classes),
            {layer: make_caption(entry, params.reference) for layer, entry in scores.items()},
            params.palette,
            note if len(splits) > 1 else "",
            wrong,
        )
        save_figure(figure, snakemake.output.eps, snakemake.output.png, DPI)
