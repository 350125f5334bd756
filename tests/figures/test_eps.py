"""The files of a figure: EPS that opens everywhere and shows the same as the PNG, but for the name in its corner."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
from fontTools.pens.boundsPen import BoundsPen
from fontTools.ttLib import TTFont
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont
from PIL import Image

from common.figures.files import eps_head, png_chunks, save_figure, save_image
from helpers import FIGURES


@pytest.fixture
def figure() -> Figure:
    """A figure of 2 x 1 inches with a blue square on the left and text on the right."""
    figure = Figure((2, 1))
    axes = figure.add_axes((0, 0, 0.5, 1))
    axes.set_axis_off()
    axes.fill([0, 1, 1, 0], [0, 0, 1, 1], "blue")
    figure.text(0.6, 0.5, "text")
    return figure


def test_figure_is_saved_as_eps_and_as_png_of_the_same_picture(figure, tmp_path, rasterize):
    save_figure(figure, tmp_path / "a.eps", tmp_path / "a.png", 200)
    twin = Image.open(tmp_path / "a.png")
    assert twin.size == (400, 200) and twin.info["dpi"] == pytest.approx((200, 200), abs=0.1)
    page = rasterize(tmp_path / "a.eps", 200)
    assert page.shape == (200, 400, 3)
    assert np.abs(page - np.asarray(twin.convert("RGB"), float))[20:-20, 20:180].max() < 2


def read_pixels(png: Path) -> np.ndarray:
    """Return the pixels of a PNG file, (height, width, 3) uint8."""
    return np.asarray(Image.open(png).convert("RGB"))


def test_png_of_a_figure_has_the_name_in_its_corner_and_the_eps_has_not(figure, tmp_path):
    for number, name in enumerate(("", "$conv_1$")):
        (tmp_path / f"{number}").mkdir()
        save_figure(figure, tmp_path / f"{number}/a.eps", tmp_path / f"{number}/a.png", 200, name)
    plain, named = (read_pixels(tmp_path / f"{number}/a.png") for number in (0, 1))
    rows, columns = np.nonzero((plain != named).any(axis=2))
    assert rows.min() < 5 and columns.min() < 10 and rows.max() < 20 and 60 < columns.max() < 110
    assert figure.texts[-1].get_text() == "$conv_1$" and not figure.texts[-1].get_parse_math()
    assert figure.texts[-1].get_size() == 4, "two points an inch"
    assert (tmp_path / "0/a.eps").read_bytes() == (tmp_path / "1/a.eps").read_bytes()


def test_same_figure_gives_the_same_bytes_at_any_time(figure, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        save_figure(figure, tmp_path / f"{name}/x.eps", tmp_path / f"{name}/x.png", 100)
    texts = [(tmp_path / f"{name}/x.eps").read_bytes() for name in ("a", "b")]
    assert texts[0] == texts[1] and b"CreationDate" not in texts[0]
    assert texts[0].count(b"%%Title: x\n") == 1 and texts[0].endswith(b"%%EOF\n")


def test_text_of_a_figure_is_in_a_truetype_font(figure, tmp_path):
    """Journals refuse matplotlib's default, Type 3."""
    save_figure(figure, tmp_path / "a.eps", tmp_path / "a.png", 100)
    text = (tmp_path / "a.eps").read_text()
    assert "/FontType 42 def" in text and "/FontType 3 def" not in text


def test_box_of_the_font_is_that_of_all_its_glyphs(figure, tmp_path):
    save_figure(figure, tmp_path / "a.eps", tmp_path / "a.png", 100)
    (box,) = re.findall(r"/FontBBox \[(.*?)\]", (tmp_path / "a.eps").read_text("latin-1"))
    glyphs = TTFont(findfont("DejaVu Sans")).getGlyphSet()
    pen = BoundsPen(glyphs)
    for name in glyphs:
        glyphs[name].draw(pen)
    assert [float(number) for number in box.split()] == pytest.approx(pen.bounds)


@pytest.mark.parametrize("channels", [1, 3])
def test_eps_of_an_image_shows_its_pixels(tmp_path, channels, rasterize):
    generator = np.random.default_rng(0)
    colors = generator.integers(256, size=(256, 3), dtype=np.uint8) if channels == 1 else None
    pixels = generator.integers(256, size=(90, 60) if channels == 1 else (90, 60, 3), dtype=np.uint8)
    save_image(pixels, colors, tmp_path / "a.eps", tmp_path / "a.png", 300, "")
    expected = pixels if colors is None else colors[pixels]
    png = Image.open(tmp_path / "a.png")
    assert np.array_equal(np.asarray(png.convert("RGB")), expected)
    assert png.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    page = rasterize(tmp_path / "a.eps", 300)[-90:, :60].astype(int)
    assert np.abs(page - expected).mean() < 2


@pytest.mark.parametrize(("channels", "used", "color"), [(3, 0, 0), (1, 255, 0), (1, 256, 90)])
def test_png_of_an_image_has_the_name_in_its_corner_and_the_eps_has_not(tmp_path, channels, used, color):
    """In black, but in the darkest color of a palette of which all colors are used."""
    colors = np.full((256, 3), 255, np.uint8)
    colors[7] = 90
    pixels = np.full((300, 300) if channels == 1 else (300, 300, 3), 255 if channels == 3 else 0, np.uint8)
    if channels == 1:
        pixels[-1, -used:] = np.arange(used)
    for number, name in enumerate(("", "conv1")):
        (tmp_path / f"{number}").mkdir()
        files = tmp_path / f"{number}/a.eps", tmp_path / f"{number}/a.png"
        save_image(pixels, colors if channels == 1 else None, *files, 300, name)
    plain, named = (read_pixels(tmp_path / f"{number}/a.png") for number in (0, 1))
    rows, columns = np.nonzero((plain != named).any(axis=2))
    assert (plain[:-1] == 255).all() and named[rows, columns].min() == color
    assert rows.min() < 10 and columns.min() < 10 and rows.max() < 15 and 15 < columns.max() < 40
    assert (tmp_path / "0/a.eps").read_bytes() == (tmp_path / "1/a.eps").read_bytes()


def test_eps_of_an_image_is_clean_ascii_without_lines_that_look_like_comments(tmp_path):
    pixels = np.random.default_rng(1).integers(256, size=(300, 300, 3), dtype=np.uint8)
    save_image(pixels, None, tmp_path / "a.eps", tmp_path / "a.png", 300, "name")
    text = (tmp_path / "a.eps").read_bytes()
    assert text.isascii() and max(map(len, text.splitlines())) <= 255
    head, data = text.split(b"\nimage\n")
    assert head.startswith(b"%!PS-Adobe-3.0 EPSF-3.0\n") and b"%%Title: a\n" in head
    lines = data.splitlines()
    assert not any(line.startswith(b"%") for line in lines[:-1]) and any(line.startswith(b" %") for line in lines)
    assert lines[-4:][1:] == [b"grestore", b"showpage", b"%%EOF"] and lines[-4].endswith(b"~>")


def test_bounding_box_is_the_size_of_the_page_in_points():
    head = eps_head("name", 100, 50, 300, "/DeviceRGB", "0 1 0 1 0 1", 3)
    assert "%%BoundingBox: 0 0 24 12\n%%HiResBoundingBox: 0 0 24.0000 12.0000\n%%Title: name\n" in head
    head = eps_head("name", 101, 49, 300, "/DeviceRGB", "0 1 0 1 0 1", 3)
    assert "%%BoundingBox: 0 0 25 12\n%%HiResBoundingBox: 0 0 24.2400 11.7600\n" in head
    assert "24.2400 11.7600 scale" in head and "/Width 101 /Height 49" in head


def test_chunks_of_a_png_are_read_to_its_end():
    file = io.BytesIO()
    Image.fromarray(np.zeros((4, 5), np.uint8)).save(file, "png")
    chunks = list(png_chunks(file.getvalue()))
    assert [kind for kind, _ in chunks] == [b"IHDR", b"IDAT", b"IEND"]
    assert chunks[0][1][:8] == b"\0\0\0\5\0\0\0\4" and chunks[2][1] == b""


def limit_bytes(name: str) -> float:
    """Return how large the EPS file of a figure may be."""
    return 200e3 if name.endswith("filters") else 6e6 if name.endswith("embed") else 2e6


@pytest.mark.parametrize("name", sorted(FIGURES))
def test_eps_header_of_a_run_conforms(finished, name):
    text = (finished.folder / f"results/figures/{name}.eps").read_bytes()
    assert len(text) <= limit_bytes(name)
    assert text.isascii() and max(map(len, text.splitlines())) <= 255
    head, rest = text.decode().split("%%EndComments", 1)
    lines = head.splitlines()
    assert re.fullmatch(r"%!PS-Adobe-3\.\d EPSF-3\.0", lines[0])
    comments = dict(line.removeprefix("%%").split(": ", 1) for line in lines if line.startswith("%%"))
    box, exact = ([float(n) for n in comments[key].split()] for key in ("BoundingBox", "HiResBoundingBox"))
    assert box[:2] == [0, 0] and all(b >= e > b - 1 for b, e in zip(box[2:], exact[2:], strict=True))
    assert comments["Title"] == name
    assert rest.rstrip().endswith("%%EOF")


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(FIGURES))
def test_eps_of_a_run_renders_without_a_warning_and_looks_like_its_png(finished, name, tmp_path, rasterize):
    eps, png = (finished.folder / f"results/figures/{name}.{suffix}" for suffix in ("eps", "png"))
    (tmp_path / "page.eps").symlink_to(eps)
    page = Image.fromarray(rasterize(tmp_path / "page.eps", 150, "-dGraphicsAlphaBits=4", "-dTextAlphaBits=4"))
    twin = Image.open(png).convert("RGB")
    assert page.width / page.height == pytest.approx(twin.width / twin.height, rel=0.01)
    small = [np.asarray(image.resize((100, 100), Image.Resampling.BOX), float) for image in (page, twin)]
    assert np.abs(small[0] - small[1]).mean() < 4
    assert small[1].std() > 5, "something is drawn"
