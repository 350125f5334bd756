"""Fonts for names in any script: those that are installed and have the characters that matplotlib's own font lacks."""

import logging
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.font_manager import FontPath, findSystemFonts, fontManager, get_font
from matplotlib.patheffects import Normal

import common.figures.style  # noqa: F401, which sets matplotlib up

log = logging.getLogger("workflow")

FONT = "DejaVu Sans"  # matplotlib's own, of which all other text is
BOXES = "Last Resort High-Efficiency"  # matplotlib's font of boxes that stand for characters, which has them all
REGULAR = 400  # weight
MAX_LISTED = 5  # missing characters that a warning lists


@cache
def read_characters(font: FontPath) -> frozenset[str]:
    """Return the characters that a font has; none if it cannot be read."""
    with suppress(OSError, RuntimeError):
        return frozenset(map(chr, get_font(font).get_charmap()))
    return frozenset()


def list_fonts() -> dict[str, FontPath]:
    """Return the regular font of each installed family, whether or not matplotlib's cache has it.

    Those that come with matplotlib are left out: they are for formulas, or have boxes in the place of characters.
    """
    for path in sorted(set(findSystemFonts()) - {entry.fname for entry in fontManager.ttflist}):
        with suppress(OSError, RuntimeError):  # bitmaps, and what is no font
            fontManager.addfont(path)
    own = Path(matplotlib.get_data_path())
    entries = [entry for entry in fontManager.ttflist if own not in Path(entry.fname).parents]
    entries.sort(key=lambda entry: (entry.name, entry.style != "normal", abs(entry.weight - REGULAR), entry.fname))
    return {entry.name: FontPath(entry.fname, entry.index) for entry in reversed(entries)}


@cache
def find_families(texts: tuple[str, ...]) -> list[str]:
    """Return the font families in which the texts can be written, each character in the first one that has it.

    As few as possible are added to FONT. If no installed font has a character, a warning says so, and a box stands for
    it.
    """
    visible = {character for character in set("".join(texts)) if unicodedata.category(character) not in ("Cc", "Cf")}
    families, missing = [FONT], visible - read_characters(fontManager.findfont(FONT))
    fonts = list_fonts() if missing else {}
    while missing:
        best = max(fonts, key=lambda family: len(missing & read_characters(fonts[family])), default=None)
        if best is None or not missing & read_characters(fonts[best]):
            break
        families.append(best)
        missing -= read_characters(fonts[best])
    if missing:
        families.append(BOXES)
        listed = ", ".join(f"{one} (U+{ord(one):04X})" for one in sorted(missing)[:MAX_LISTED])
        more = f" and {len(missing) - MAX_LISTED} more" if len(missing) > MAX_LISTED else ""
        log.warning(
            "warning: no installed font has the characters %s%s of the class names, so the figure has boxes in their "
            "place. Install a font that has them, such as Noto (apt-get install fonts-noto).",
            listed,
            more,
        )
    return families


def style_names(names: Sequence[str]) -> dict[str, Any]:
    """Return the properties of a matplotlib text with some of the names; to be called with all names of a figure.

    In fonts other than FONT, text is drawn as outlines, since EPS files can embed TrueType fonts only.
    """
    families = find_families(tuple(names))
    return {"family": families} | ({"path_effects": [Normal()]} if len(families) > 1 else {})
