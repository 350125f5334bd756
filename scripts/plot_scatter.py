"""Draw an embedding as a scatter plot, each image a point in the color of its class."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from common.figures.class_names import name_classes, shorten, type_size
from common.figures.errors import find_errors
from common.figures.files import save_figure
from common.figures.maps import draw_map, draw_rings
from common.figures.palette import class_colors
from common.figures.style import DPI, PAGE_WIDTH
from common.inputs import load_array, load_classes, load_rows
from common.logs import run_logged
from common.names import SPLITS
from common.tables import load_predictions


@dataclass(frozen=True)
class Style:
    """The style of a scatter plot."""

    size: float  # inches
    dpi: int  # of the PNG
    palette: str | None = None  # replaces that of the configuration
    edge: str | None = None
    labels: bool = True
    errors: bool = True  # marked if the configuration says so


STYLES = {
    "paper": Style(size=PAGE_WIDTH, dpi=DPI),
    "notebook": Style(size=50, dpi=60, palette="jet", edge="red", labels=False, errors=False),
}


def plot_scatter(
    coordinates: np.ndarray,
    labels: np.ndarray,
    classes: Sequence[str],
    palette: str | Sequence[str],
    style: Style,
    size: float | None,
    wrong: tuple[np.ndarray, np.ndarray] | None = None,
) -> Figure:
    """Return a square figure of an embedding (n, 2) with labels (n,), numbers of the names `classes`.

    Without `classes` all points have one color, without names. `wrong` has the coordinates (m, 2) and labels (m,) of
    images to mark, each by a ring around the color of its label.
    """
    size, classes = size or style.size, [shorten(name) for name in classes]
    colors = class_colors(style.palette or palette, len(classes))
    figure = Figure((size, size))
    axes = figure.add_axes((0, 0, 1, 1))
    draw_map(axes, coordinates, labels, colors, size, style.edge)
    if wrong is not None and style.errors:
        draw_rings(axes, *wrong, colors, size)
    if style.labels and classes:
        name_classes(axes, coordinates, labels, classes, colors, type_size(classes, size))
    return figure


if __name__ == "__main__":
    with run_logged(snakemake.log[0], f"plot_scatter {snakemake.wildcards.layer}"):
        coordinates, labels = load_rows(snakemake.input.map, snakemake.input.labels)
        classes = load_classes(snakemake.input.classes)
        style, size = STYLES[snakemake.params.style], snakemake.params.size
        wrong = None
        if snakemake.input.errors:
            path, *held_out = snakemake.input.errors
            by_split = dict(zip(SPLITS, (coordinates, *map(load_array, held_out)), strict=True))
            predictions = load_predictions(path, **{split: len(rows) for split, rows in by_split.items()})
            found = find_errors(predictions)
            wrong = (
                np.concatenate([points[found[split]] for split, points in by_split.items()]),
                np.concatenate([predictions[split].label[found[split]].astype(int) for split in SPLITS]),
            )
        figure = plot_scatter(coordinates, labels, classes, snakemake.params.palette, style, size, wrong)
        save_figure(figure, snakemake.output.eps, snakemake.output.png, style.dpi, snakemake.wildcards.layer)
