"""Names in any script: in fonts that have their characters, else in boxes and with one warning; with stand-in fonts."""

import logging
import warnings
from io import BytesIO

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from plot_scatter import STYLES, plot_scatter

from common.figures import fonts
from common.figures.fonts import BOXES, FONT, find_families, style_names
from common.figures.panels import add_legend

# Private characters, which no real font has.
A, B, C, D = (chr(0xF1000 + number) for number in range(4))


def make_font(path, family, characters, compact):
    """Write a font in which each character is a filled square; `compact` for OpenType with CFF outlines."""
    names = [".notdef", *(f"u{ord(character):X}" for character in characters)]
    builder = FontBuilder(1000, isTTF=not compact)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({ord(character): name for character, name in zip(characters, names[1:], strict=True)})
    pens = {name: T2CharStringPen(1000, None) if compact else TTGlyphPen(None) for name in names}
    for pen in pens.values():
        for move, point in zip((pen.moveTo, *[pen.lineTo] * 3), [(0, 0), (0, 700), (700, 700), (700, 0)], strict=True):
            move(point)
        pen.closePath()
    if compact:
        builder.setupCFF(family, {"FullName": family}, {name: pen.getCharString() for name, pen in pens.items()}, {})
    else:
        builder.setupGlyf({name: pen.glyph() for name, pen in pens.items()})
    builder.setupHorizontalMetrics(dict.fromkeys(names, (1000, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": family, "styleName": "Regular", "psName": family.replace(" ", "")})
    builder.setupOS2()
    builder.setupPost()
    builder.save(path)


@pytest.fixture
def install(monkeypatch, tmp_path):
    """A function that installs a font with some characters; matplotlib's cache does not have it."""
    paths = []
    monkeypatch.setattr(fontManager, "ttflist", list(fontManager.ttflist))
    monkeypatch.setattr(fonts, "findSystemFonts", lambda: paths)
    for function in (fonts.read_characters, fonts.find_families):
        function.cache_clear()

    def install(family, characters, compact=False):
        paths.append(str(tmp_path / f"{family}.{'otf' if compact else 'ttf'}"))
        make_font(paths[-1], family, characters, compact)

    yield install
    for function in (fonts.read_characters, fonts.find_families):
        function.cache_clear()


def find(caplog, *texts):
    """Return the families for the texts, and the warnings."""
    with caplog.at_level(logging.INFO, "workflow"):
        return find_families(texts), [record.getMessage() for record in caplog.records]


@pytest.mark.parametrize("text", ["Ankle boot", "größer", "кошка", "γάτα", "a\nb", "a\u200bb", ""])
def test_text_that_the_usual_font_has_needs_no_other(install, caplog, text):
    install("Stand-in 1", "abc")
    assert find(caplog, text) == ([FONT], [])
    assert style_names([text]) == {"family": [FONT]}


def test_other_fonts_are_as_few_as_possible(install, caplog):
    install("Stand-in 2", A)
    install("Stand-in 3", A + B + "a")
    install("Stand-in 4", C)
    assert find(caplog, f"a{A}", B, C) == ([FONT, "Stand-in 3", "Stand-in 4"], [])


def test_one_warning_names_the_characters_that_no_font_has(install, caplog):
    install("Stand-in 5", A)
    for _ in range(2):
        families, messages = find(caplog, f"x{A}{C}{B}", f"{B}{C}")
    assert families == [FONT, "Stand-in 5", BOXES]
    assert messages == [
        f"warning: no installed font has the characters {B} (U+F1001), {C} (U+F1002) of the class names, so the figure "
        "has boxes in their place. Install a font that has them, such as Noto (apt-get install fonts-noto)."
    ]


def test_warning_lists_few_of_many_characters(install, caplog):
    _, (message,) = find(caplog, "".join(chr(0xF2000 + number) for number in range(12)))
    assert "(U+F2004) and 7 more of the class names" in message and "U+F2005" not in message


def test_broken_font_does_no_harm(install, caplog, tmp_path, monkeypatch):
    install("Stand-in 6", A)
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    paths = [*fonts.findSystemFonts(), str(tmp_path / "broken.ttf"), str(tmp_path / "removed.ttf")]
    monkeypatch.setattr(fonts, "findSystemFonts", lambda: paths)
    assert find(caplog, A) == ([FONT, "Stand-in 6"], [])


def draw_square(text):
    """Return the share of black pixels in a picture of a character."""
    figure = Figure((1, 1), dpi=100)
    figure.text(0, 0, text, size=72, **style_names([text]))
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return (np.asarray(canvas.buffer_rgba())[..., 0] < 128).mean()


@pytest.mark.parametrize("compact", [False, True])
def test_character_is_drawn_in_the_font_that_has_it(install, compact):
    install(f"Stand-in 7 {compact}", D, compact)
    assert draw_square(D) == pytest.approx(0.49, abs=0.03), "a full square of 0.7 inches"


@pytest.mark.parametrize("characters", [D, ""])
def test_figures_have_no_font_that_postscript_cannot_read_and_no_warnings_of_matplotlib(install, characters):
    """OpenType fonts with CFF outlines begin with OTTO; a font of Type 42 must be a TrueType font."""
    install(f"Stand-in 8 {len(characters)}", characters or A, compact=True)
    names = [f"a{D}", "b"]
    scatter = plot_scatter(np.eye(2), np.arange(2), names, "auto", STYLES["paper"], 3)
    legend = Figure((3, 3))
    add_legend(legend, names, np.zeros((2, 3)), style_names(names))
    for figure in (scatter, legend):
        with warnings.catch_warnings(action="error"):
            written = BytesIO()
            figure.savefig(written, format="eps")
            figure.savefig(BytesIO(), format="png")
        assert (
            b"4f54544f" not in written.getvalue().lower().replace(b"\n", b"") and b"Stand-in" not in written.getvalue()
        )


def test_long_names_are_cut_in_the_figures():
    figure = plot_scatter(np.eye(2), np.arange(2), ["x" * 40, "y"], "auto", STYLES["paper"], 7)
    assert sorted(text.get_text() for text in figure.axes[0].texts) == ["x" * 23 + "…", "y"]
