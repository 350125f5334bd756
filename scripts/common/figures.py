"""What the figures share: their colors, the frame of a map, and how they are saved."""

import math
import os
import re
import struct
import textwrap
from base64 import a85encode
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import is_color_like, to_rgb
from matplotlib.figure import Figure
from PIL import Image

from common.files import whole
from common.jobs import UserError

matplotlib.rcParams["ps.fonttype"] = 42  # TrueType: journals refuse matplotlib's default, Type 3

SMALL = {  # what a figure as wide as a page, 7 inches, is lettered with
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "legend.frameon": False,
}

MARGIN = 0.03  # of the frame's side, around the outermost point
COVERAGE = 0.5  # the share of the frame that the points would cover side by side
ROUNDS = 20  # the points are drawn in so many random rounds


def class_colors(palette: str | Sequence[str], classes: int) -> np.ndarray:
    """One color a class, (classes, 3) float64 in [0, 1].

    `palette` is a list of colors, or the name of a color sequence or of a color map of matplotlib.
    """
    if not isinstance(palette, str):
        colors = list(palette)
    elif palette in matplotlib.color_sequences:
        colors = matplotlib.color_sequences[palette]
    elif palette in matplotlib.colormaps:
        colors = list(matplotlib.colormaps[palette](np.linspace(0, 1, classes)))
    else:
        raise UserError(f"figures.palette: matplotlib has no color sequence or color map {palette!r}")
    if len(colors) < classes:
        raise UserError(f"figures.palette: {len(colors)} colors for {classes} classes: give one a class")
    unknown = [color for color in colors if not is_color_like(color)]
    if unknown:
        raise UserError(f"figures.palette: {unknown[0]!r} is no color")
    return np.array([to_rgb(color) for color in colors[:classes]])


def frame(coordinates: np.ndarray) -> tuple[np.ndarray, float]:
    """The square that every figure of a map (n, 2) shows: its center (2,) and its side, in the map's units."""
    low, high = coordinates.min(axis=0), coordinates.max(axis=0)
    extent = float((high - low).max()) or 1.0  # of a map that is a single point, any will do
    return (low + high) / 2, extent * (1 + 2 * MARGIN)


def draw_map(
    axes: Axes, coordinates: np.ndarray, labels: np.ndarray, colors: np.ndarray, size: float, edge: str | None = None
) -> None:
    """Draw a map (n, 2) into square axes that are `size` inches wide: a point a row, in its label's color.

    Side by side the points would cover COVERAGE of the frame. They are drawn in random order, so that no class hides
    another, but many at a time, which keeps the file small. `edge` is the color of their edges, if they have any.
    """
    center, side = frame(coordinates)
    axes.set_axis_off()
    axes.set_aspect("equal")
    axes.set_xlim(center[0] - side / 2, center[0] + side / 2)
    axes.set_ylim(center[1] - side / 2, center[1] + side / 2)
    marker = 72 * size * min(np.sqrt(COVERAGE / len(labels) * 4 / np.pi), 0.01)  # points of 1/72 inch
    edges = {"markeredgewidth": 0} if edge is None else {"markeredgewidth": marker / 8, "markeredgecolor": edge}
    for rows in np.array_split(np.random.default_rng(0).permutation(len(labels)), ROUNDS):
        for label in np.unique(labels):
            x, y = coordinates[rows[labels[rows] == label]].T
            axes.plot(x, y, "o", color=colors[label], markersize=marker, **edges)


def save_figure(figure: Figure, eps: str | os.PathLike, png: str | os.PathLike, dpi: int) -> None:
    """Write a matplotlib figure as an EPS and as its PNG twin."""
    drawn = BytesIO()
    figure.savefig(drawn, format="eps")
    # a title instead of the date: the same figure gives the same bytes
    text = re.sub(rb"%%CreationDate: .*", f"%%Title: {Path(eps).stem}".encode(), drawn.getvalue(), count=1)
    with whole(eps) as part:
        part.write_bytes(text + b"%%EOF\n")
    with whole(png) as part:
        figure.savefig(part, format="png", dpi=dpi)


def png_chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The chunks of a PNG file, as (type, content)."""
    at = 8
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        at += length + 12


def save_image(
    pixels: np.ndarray, colors: np.ndarray, eps: str | os.PathLike, png: str | os.PathLike, dpi: int
) -> None:
    """Write an image as a PNG and as an EPS of the same compressed data.

    `pixels` (height, width) uint8 number `colors` (256, 3) uint8. A PNG's data is what PostScript Level 3 reads with
    /FlateDecode and PNG predictors (Adobe, PostScript Language Reference, 3.13.3), so the EPS holds it as it is, in
    7-bit ASCII; through matplotlib it would be twenty times as large.
    """
    height, width = pixels.shape
    image = Image.fromarray(pixels, "P")
    image.putpalette(colors.tobytes())
    stored = BytesIO()
    image.save(stored, "png", dpi=(dpi, dpi), optimize=True)
    with whole(png) as part:
        part.write_bytes(stored.getvalue())
    compressed = b"".join(content for kind, content in png_chunks(stored.getvalue()) if kind == b"IDAT")
    data = a85encode(compressed, wrapcol=80)
    data = data.replace(b"\n%", b"\n %")  # a line that begins with % could be taken for a comment
    table = "\n".join(textwrap.wrap(colors.tobytes().hex(), 96))
    points = width * 72 / dpi, height * 72 / dpi
    head = f"""%!PS-Adobe-3.0 EPSF-3.0
%%BoundingBox: 0 0 {math.ceil(points[0])} {math.ceil(points[1])}
%%HiResBoundingBox: 0 0 {points[0]:.4f} {points[1]:.4f}
%%Title: {Path(eps).stem}
%%LanguageLevel: 3
%%DocumentData: Clean7Bit
%%Pages: 1
%%EndComments
%%Page: 1 1
gsave
{points[0]:.4f} {points[1]:.4f} scale
[/Indexed /DeviceRGB 255 <
{table}
>] setcolorspace
<< /ImageType 1 /Width {width} /Height {height} /BitsPerComponent 8 /Decode [0 255]
   /ImageMatrix [{width} 0 0 -{height} 0 {height}]
   /DataSource currentfile /ASCII85Decode filter
     << /Predictor 15 /Colors 1 /BitsPerComponent 8 /Columns {width} >> /FlateDecode filter >>
image
"""
    with whole(eps) as part:
        part.write_bytes(head.encode() + data + b"~>\ngrestore\nshowpage\n%%EOF\n")
