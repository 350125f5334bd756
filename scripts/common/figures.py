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
from skimage.color import rgb2lab

from common.files import whole
from common.jobs import UserError

matplotlib.rcdefaults()  # a user's matplotlibrc is for other figures
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
GROUPS = 2000  # but in fewer where there would be more groups of a round and a class: each is an object in the file

NEUTRAL = "#4d4d4d"  # the color of all images where there are no labels
LIGHTNESS = (35, 80)  # of CIELAB: from here to there a color can be told from black, and read on white
LEVELS = 26  # of each of red, green and blue, of which colors are chosen


def distinct_colors(count: int) -> np.ndarray:
    """Colors as unlike as they can be, (count, 3) float64 in [0, 1], the same ones each time.

    The first ten are petroff10's (Petroff 2021), which readers with any color vision can tell apart. Each further one
    is, of a grid of the sRGB colors of middle lightness, that which is farthest in CIELAB from all before.
    """
    colors = np.array([to_rgb(color) for color in matplotlib.color_sequences["petroff10"]])
    steps = np.linspace(0, 1, LEVELS)
    grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    places = rgb2lab(grid)
    middle = (places[:, 0] >= LIGHTNESS[0]) & (places[:, 0] <= LIGHTNESS[1])
    grid, places = grid[middle], places[middle]
    away = np.linalg.norm(places[:, None] - rgb2lab(colors), axis=2).min(axis=1)
    chosen = list(colors)
    while len(chosen) < count:
        farthest = away.argmax()
        chosen.append(grid[farthest])
        away = np.minimum(away, np.linalg.norm(places - places[farthest], axis=1))
    return np.array(chosen[:count])


def class_colors(palette: str | Sequence[str], classes: int) -> np.ndarray:
    """One color a class, (classes, 3) float64 in [0, 1]; of no classes a single neutral one, for all images.

    `palette` is a list of colors, the name of a color sequence or of a color map of matplotlib, or auto, which has
    enough for any number of classes (distinct_colors). Raises UserError if it has too few, or is or holds no color.
    """
    if not classes:
        return np.array([to_rgb(NEUTRAL)])
    if not isinstance(palette, str):
        colors = list(palette)
    elif palette == "auto":
        colors = list(distinct_colors(classes))
    elif palette in matplotlib.color_sequences:
        colors = matplotlib.color_sequences[palette]
    elif palette in matplotlib.colormaps:
        colors = list(matplotlib.colormaps[palette](np.linspace(0, 1, classes)))
    else:
        raise UserError(f"figures.palette: matplotlib has no color sequence or color map {palette!r}")
    if len(colors) < classes:
        raise UserError(f"figures.palette: {len(colors)} colors for {classes} classes: give one a class, or auto")
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
    rounds = min(ROUNDS, max(1, GROUPS // len(colors)))
    for rows in np.array_split(np.random.default_rng(0).permutation(len(labels)), rounds):
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
    pixels: np.ndarray, colors: np.ndarray | None, eps: str | os.PathLike, png: str | os.PathLike, dpi: int
) -> None:
    """Write an image as a PNG and as an EPS of the same compressed data.

    `pixels` (height, width) uint8 number `colors` (256, 3) uint8; or they are red, green and blue, (height, width, 3)
    uint8, without `colors`. A PNG's data is what PostScript Level 3 reads with /FlateDecode and PNG predictors (Adobe,
    PostScript Language Reference, 3.13.3), so the EPS holds it as it is, in 7-bit ASCII; through matplotlib it would be
    twenty times as large.
    """
    height, width = pixels.shape[:2]
    image = Image.fromarray(pixels, "RGB" if colors is None else "P")
    space, samples, decode = "/DeviceRGB", 3, "0 1 0 1 0 1"
    if colors is not None:
        image.putpalette(colors.tobytes())
        table = "\n".join(textwrap.wrap(colors.tobytes().hex(), 96))
        space, samples, decode = f"[/Indexed /DeviceRGB 255 <\n{table}\n>]", 1, "0 255"
    stored = BytesIO()
    image.save(stored, "png", dpi=(dpi, dpi), optimize=True)
    with whole(png) as part:
        part.write_bytes(stored.getvalue())
    compressed = b"".join(content for kind, content in png_chunks(stored.getvalue()) if kind == b"IDAT")
    data = a85encode(compressed, wrapcol=80)
    data = data.replace(b"\n%", b"\n %")  # a line that begins with % could be taken for a comment
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
{space} setcolorspace
<< /ImageType 1 /Width {width} /Height {height} /BitsPerComponent 8 /Decode [{decode}]
   /ImageMatrix [{width} 0 0 -{height} 0 {height}]
   /DataSource currentfile /ASCII85Decode filter
     << /Predictor 15 /Colors {samples} /BitsPerComponent 8 /Columns {width} >> /FlateDecode filter >>
image
"""
    with whole(eps) as part:
        part.write_bytes(head.encode() + data + b"~>\ngrestore\nshowpage\n%%EOF\n")
