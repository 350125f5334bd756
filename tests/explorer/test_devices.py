"""The page on a desk and on a phone, light and dark, with class names that nobody can trust."""

from dataclasses import replace
from itertools import combinations

import pytest
from playwright.sync_api import Page

from explorer.page_input import embed_earlier, write_page

pytestmark = pytest.mark.chromium

NAMES = [
    "<img src=x onerror=alert(1)>",
    "שלום עולם",
    "سلام",
    "🙂 smile",
    "a very long name of a class that no button can hold in one line",
    'quoted "name"',
    "& < >",
    "日本語",
    "‮reversed",
    "9",
]
SCREENS = {"desk": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}
ABOVE_THE_MAP = ("#epochs", "#status", "#tools button")


@pytest.fixture(scope="module")
def untrusted(digits, tmp_path_factory) -> str:
    """The address of a page with these classes, three layers and two earlier epochs."""
    trained = replace(digits, earlier=embed_earlier(digits))
    return write_page(tmp_path_factory.mktemp("untrusted"), trained.make_data("Digits", "petroff10", NAMES))


def find_boxes(page: Page, selectors: tuple[str, ...]) -> dict[str, tuple[float, float, float, float]]:
    """Return the boxes of what is visible: left, top, right, bottom, by selector and number."""
    boxes = {}
    for selector in selectors:
        for number, element in enumerate(page.locator(selector).all()):
            box = element.bounding_box()
            if box:
                boxes[f"{selector} {number}"] = (box["x"], box["y"], box["x"] + box["width"], box["y"] + box["height"])
    return boxes


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("beside", ["", "&beside=pixel", "&beside=all"])
def test_nothing_overlaps_and_names_are_texts(open_page, untrusted, digits, screen, scheme, beside):
    address = f"{untrusted}#layer=conv1{beside}"
    page = open_page(address, viewport=SCREENS[screen], color_scheme=scheme, has_touch=screen == "phone")
    assert page.evaluate("document.documentElement.scrollWidth") == SCREENS[screen]["width"]
    assert page.locator("#classes button").all_text_contents() == NAMES
    assert page.locator("#color option").count() > 10 and page.locator("img").count() == 0
    boxes = find_boxes(page, (*ABOVE_THE_MAP, *(["#points"] if screen == "phone" else [])))
    assert len(boxes) >= 7
    for (one, first), (other, second) in combinations(boxes.items(), 2):
        apart = first[2] <= second[0] or second[2] <= first[0] or first[3] <= second[1] or second[3] <= first[1]
        assert apart, f"{one} and {other} overlap"
    page.evaluate("explorer.pin(7)")
    assert page.locator("#facts .name").text_content() == NAMES[digits.maps.label[7]]
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == {"light": "rgb(253, 252, 249)", "dark": "rgb(19, 20, 23)"}[scheme]
    assert page.errors == []
