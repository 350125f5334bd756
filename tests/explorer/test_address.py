"""The address of the page: a copied one opens the same view, and the back button returns to the one before."""

from urllib.parse import unquote

import numpy as np
import pytest
from playwright.sync_api import Page

from explorer.browser import get_state, read_pressed, switch_layer
from explorer.page_input import LAYERS, TRAIN, VALIDATION

pytestmark = pytest.mark.chromium


def read_state(page: Page) -> tuple:
    """Return what the address stands for, as the page has it."""
    classes = page.evaluate("[...explorer.state.classes]")
    return *(get_state(page, name) for name in ("map", "pinned", "wrong", "heldout")), classes


def test_copied_address_opens_the_same_view(page, open_page):
    switch_layer(page, "3")
    page.evaluate(f"explorer.pin({TRAIN + VALIDATION + 14})")
    page.locator("#classes button", has_text="3").click()
    page.locator("#classes button", has_text="8").click()
    page.keyboard.press("h")
    page.evaluate("explorer.pin(-1)")
    colored = int(page.evaluate(f"explorer.data.splits.train + {VALIDATION}"))
    page.evaluate(f"explorer.pin({colored + 5})")
    page.keyboard.press("+")
    page.wait_for_function("location.hash.includes('view=')")
    fragment = page.evaluate("location.hash")
    assert fragment.startswith("#layer=dense3&pin=test%3A5&class=3&class=8&heldout=only&view=")
    other = open_page(page.url)
    assert read_state(other) == read_state(page) == (2, colored + 5, False, "only", [3, 8])
    assert read_pressed(other, "#layers button") == [False, False, True]
    places = [np.array(one.evaluate("explorer.place(7)")) for one in (page, other)]
    assert np.abs(places[0] - places[1]).max() < 3
    assert other.evaluate("location.hash") == fragment and other.errors == []


def test_back_and_forward_lead_through_the_steps(page):
    switch_layer(page, "2")
    page.evaluate("explorer.pin(7)")
    page.keyboard.press("w")
    page.go_back()
    page.wait_for_function("!explorer.state.wrong")
    assert read_state(page) == (1, 7, False, "with", [])
    page.go_back()
    page.wait_for_function("explorer.state.pinned === -1")
    page.go_back()
    page.wait_for_function("explorer.state.map === 0 && explorer.state.progress === 1")
    page.go_forward()
    page.wait_for_function("explorer.state.map === 1 && explorer.state.progress === 1")
    page.go_forward()
    page.wait_for_function("explorer.state.pinned === 7")


@pytest.mark.parametrize("view", ["0.300,-0.200,1.000", "0.000,0.000,2.000", "0.100,0.100,0.050"])
def test_view_of_an_address_is_shown(open_page, address, view):
    page = open_page(f"{address}#layer=pixel&view={view}")
    x, y, distance = page.evaluate("[...explorer.plot.get('cameraTarget'), explorer.plot.get('cameraDistance')]")
    assert [x, y, distance] == pytest.approx([float(number) for number in view.split(",")], abs=1e-3)
    assert page.locator("#status").text_content() == "1,797 images, all in color"


@pytest.mark.parametrize(
    "fragment",
    ["layer=conv9", "pin=test:200", "pin=dev:1", "class=%3Cimg%20onerror%3D1%3E", "view=1,2", "view=0,0,0", "x=1"],
)
def test_what_is_not_on_the_page_is_named(open_page, address, fragment):
    page = open_page(f"{address}#layer={LAYERS[1]}&{fragment}")
    assert read_state(page) == (1, -1, False, "with", [])
    assert page.locator("#status").text_content() == f"Not on this page: {unquote(fragment)}"
    assert page.errors == []
