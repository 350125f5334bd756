"""Figures as EPS files for print, each with a PNG file for the report."""

import math
import os
import re
import struct
import textwrap
from base64 import a85encode
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
from matplotlib.backends import backend_ps
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont
from PIL import Image, ImageDraw, ImageFont

import common.figures.style  # noqa: F401, which sets matplotlib up
from common.files import atomic_write

# matplotlib draws all glyphs of a font to find their box, which takes longer than the figure; the font states it.
backend_ps._bounds = lambda font: [getattr(font["head"], side) for side in ("xMin", "yMin", "xMax", "yMax")]

NAME_SIZE = 2  # points an inch of the figure, of the name in a PNG file


def save_figure(figure: Figure, eps: str | os.PathLike, png: str | os.PathLike, dpi: int, name: str = "") -> None:
    """Write a matplotlib figure as an EPS file and as a PNG file, which has the `name`, if any, in its corner."""
    drawn = BytesIO()
    figure.savefig(drawn, format="eps")
    if name:
        size = NAME_SIZE * figure.get_figwidth()
        figure.text(0.01, 0.99, name, ha="left", va="top", size=size, weight="bold", parse_math=False)
    # a title instead of the date, so that the same figure gives the same bytes
    text = re.sub(rb"%%CreationDate: .*", f"%%Title: {Path(eps).stem}".encode(), drawn.getvalue(), count=1)
    with atomic_write(eps) as part:
        part.write_bytes(text + b"%%EOF\n")
    with atomic_write(png) as part:
        figure.savefig(part, format="png", dpi=dpi)


def png_chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the chunks of a PNG file, as (type, content)."""
    at = 8
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        at += length + 12


def save_image(
    pixels: np.ndarray, colors: np.ndarray | None, eps: str | os.PathLike, png: str | os.PathLike, dpi: int, name: str
) -> None:
    """Write an image as an EPS file and as a PNG file, which has the `name` in its corner.

    `pixels` are (height, width) uint8, numbers of `colors` (256, 3) uint8, or (height, width, 3) uint8 without
    `colors`. PostScript Level 3 reads PNG data by /FlateDecode with PNG predictors (Adobe, PostScript Language
    Reference, 3.13.3), so the EPS holds it in 7-bit ASCII. Written by matplotlib it would be twenty times as large.
    """
    height, width = pixels.shape[:2]
    image = Image.fromarray(pixels, "RGB" if colors is None else "P")
    space, samples, decode = "/DeviceRGB", 3, "0 1 0 1 0 1"
    if colors is not None:
        image.putpalette(colors.tobytes())
        table = "\n".join(textwrap.wrap(colors.tobytes().hex(), 96))
        space, samples, decode = f"[/Indexed /DeviceRGB 255 <\n{table}\n>]", 1, "0 255"
    stored = BytesIO()
    image.save(stored, "png", dpi=(dpi, dpi))
    with atomic_write(png) as part:
        add_name(image, name).save(part, "png", dpi=(dpi, dpi))
    compressed = b"".join(content for kind, content in png_chunks(stored.getvalue()) if kind == b"IDAT")
    data = a85encode(compressed, wrapcol=80)
    data = data.replace(b"\n%", b"\n %")  # a line that begins with % could be read as a comment
    head = eps_head(Path(eps).stem, width, height, dpi, space, decode, samples)
    with atomic_write(eps) as part:
        part.write_bytes(head.encode() + data + b"~>\ngrestore\nshowpage\n%%EOF\n")


def add_name(image: Image.Image, name: str) -> Image.Image:
    """Return an image with a name in black in its top left corner.

    If its palette is used up, the name has the darkest of its colors.
    """
    named = image.copy()
    font = ImageFont.truetype(findfont("DejaVu Sans:bold"), round(NAME_SIZE / 72 * named.width))
    black = (0, 0, 0)
    if named.mode == "P":
        colors = np.reshape(named.getpalette(), (-1, 3))
        unused = np.setdiff1d(np.arange(len(colors)), np.asarray(named))
        colors[unused[-1:]] = 0
        named.putpalette(colors.astype(np.uint8).tobytes())
        black = int(unused[-1] if len(unused) else colors.sum(axis=1).argmin())
    ImageDraw.Draw(named).text((0.01 * named.width, 0.01 * named.width), name, fill=black, font=font)
    return named


def eps_head(title: str, width: int, height: int, dpi: int, space: str, decode: str, samples: int) -> str:
    """Return the PostScript before the data of an image: color `space`, `decode` array, `samples` a pixel."""
    points = width * 72 / dpi, height * 72 / dpi
    return f"""%!PS-Adobe-3.0 EPSF-3.0
%%BoundingBox: 0 0 {math.ceil(points[0])} {math.ceil(points[1])}
%%HiResBoundingBox: 0 0 {points[0]:.4f} {points[1]:.4f}
%%Title: {title}
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
