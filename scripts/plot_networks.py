"""Draw the embeddings of the layers of several networks: a row for each network, a column for each depth."""

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from common.figures.class_names import shorten
from common.figures.files import save_figure
from common.figures.fonts import style_names
from common.figures.maps import find_frame
from common.figures.network_names import describe_network
from common.figures.palette import class_colors
from common.figures.panels import (
    HEADER_HEIGHT,
    LEGEND_LINE,
    LEGEND_MARGIN,
    MAX_LEGEND,
    MAX_WIDTH,
    SCORE_LINE,
    TITLE_HEIGHT,
    TYPE_SIZE,
    add_legend,
    draw_panel,
    make_caption,
    shrink_texts,
)
from common.figures.style import ANNOTATION, DPI, PAGE_STYLE, PAGE_WIDTH
from common.inputs import load_classes, load_json, load_rows
from common.logs import run_logged
from common.names import SPLIT_NAMES, SPLITS
from common.scoring.relative_depth import relative_depths
from common.tables import load_table

Maps = Mapping[str, Mapping[str, np.ndarray]]  # coordinates (n, 2) by network and layer


def choose_columns(layers: Sequence[str], columns: int) -> dict[str, int]:
    """Return the column of each layer by its relative depth: 0 for the pixels, and `columns` for the last layer."""
    return {layer: round(depth * columns) for layer, depth in relative_depths(layers).items()}


def plot_networks(
    maps: Maps,
    labels: np.ndarray,
    classes: Sequence[str],
    titles: Mapping[str, str],
    captions: Mapping[str, Mapping[str, str]],
    palette: str | Sequence[str],
    note: str = "",
) -> Figure:
    """Return a figure of the embeddings of several networks, a row for each, with the pixels in the first row only.

    `maps` and `captions` are by network and layer, `titles` by network. `labels` (n,) number the `classes`.
    """
    classes = [shorten(name) for name in classes]
    colors = class_colors(palette, len(classes))
    columns = max(len([layer for layer in by_layer if layer != "pixel"]) for by_layer in maps.values())
    side = PAGE_WIDTH / (columns + 1)
    figure = Figure((PAGE_WIDTH, 1))
    lines = 0
    if 0 < len(classes) <= MAX_LEGEND:
        present = np.unique(labels)
        lines = add_legend(figure, [classes[label] for label in present], colors[present], style_names(classes))
    texts = [caption for by_layer in captions.values() for caption in by_layer.values()]
    caption_height = 0.05 + SCORE_LINE * max(text.count("\n") + 1 for text in texts)
    block = TITLE_HEIGHT + HEADER_HEIGHT + side + caption_height
    height = len(maps) * block + LEGEND_MARGIN + (lines + bool(note)) * LEGEND_LINE
    figure.set_figheight(height)
    headers, below = [], []
    for row, (network, by_layer) in enumerate(maps.items()):
        top = height - row * block
        figure.text(0.01, (top - 0.03) / height, titles[network], weight="bold", size=8, va="top", parse_math=False)
        top -= TITLE_HEIGHT
        for layer, column in choose_columns(list(by_layer), columns).items():
            if layer == "pixel" and row:
                continue
            center = (column + 0.5) / (columns + 1)
            centered = {"ha": "center", "va": "top", "size": TYPE_SIZE, "parse_math": False}
            headers.append(figure.text(center, top / height, layer, color=ANNOTATION, **centered))
            bottom = top - HEADER_HEIGHT - side
            axes = figure.add_axes((column / (columns + 1), bottom / height, 1 / (columns + 1), side / height))
            points = by_layer[layer]
            draw_panel(axes, points, labels, classes, colors, side, find_frame(points), None)
            below.append(figure.text(center, (bottom - 0.03) / height, captions[network][layer], **centered))
    shrink_texts(headers, MAX_WIDTH * side)
    shrink_texts(below, MAX_WIDTH * side)
    if note:
        bottom = (lines + 1) * LEGEND_LINE / height
        figure.text(0.5, bottom, note, ha="center", va="top", size=TYPE_SIZE, color=ANNOTATION)
    return figure


if __name__ == "__main__":
    with run_logged(snakemake.log[0], "plot_networks"), matplotlib.rc_context(PAGE_STYLE):
        paths, params = snakemake.input, snakemake.params
        table = load_table(paths.table, "network", "parameters", "layer", "score", "split", "mean")
        maps, captions = {}, {}
        for state, file, scores in zip(params.states, paths.maps, paths.scores, strict=True):
            points, labels = load_rows(file, paths.labels)
            maps.setdefault(state["network"], {})[state["layer"]] = points
            found = load_json(scores)
            captions.setdefault(state["network"], {})[state["layer"]] = make_caption(found, "pixel")
        splits = [SPLIT_NAMES[split] for split in SPLITS if found[split]["rows"]]
        figure = plot_networks(
            maps,
            labels,
            load_classes(paths.classes),
            {network: describe_network(table, network) for network in maps},
            captions,
            params.palette,
            f"Scores in the embedding: {' / '.join(splits)} images",
        )
        save_figure(figure, snakemake.output.eps, snakemake.output.png, DPI)
