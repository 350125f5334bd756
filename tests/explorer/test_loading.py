"""The page opens in any theme and size, and says so if it cannot."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from explorer.browser import read_map
from explorer.page_input import LAYERS
from helpers import system_program

pytestmark = pytest.mark.chromium


def test_page_loads_without_an_error_or_a_request(page):
    assert page.locator("#status").text_content() == "1,797 images, all in color"
    assert page.locator("#layers button").all_text_contents() == LAYERS
    assert page.title().endswith("Digits")
    colors = {tuple(color) for color in read_map(page).reshape(-1, 3)[::3]}
    assert len(colors) > 100  # of ten classes, and of the soft edges of the points


def test_page_that_could_fetch_something_would_be_kept_from_it(open_page, address):
    page = open_page(address)
    page.evaluate("fetch('https://example.com').catch(() => null)")
    assert "Content Security Policy" in page.errors[0]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_page_follows_the_theme(open_page, address, theme):
    page = open_page(address, color_scheme={"light": "dark", "dark": "light"}[theme])
    page.keyboard.press("w")
    page.emulate_media(color_scheme=theme)
    picture = read_map(page)
    paper, gray = {"light": (253, 221), "dark": (19, 48)}[theme]
    assert abs(np.median(picture[:, :, 0]) - paper) < 3
    assert (np.abs(picture[:, :, 0] - gray) < 6).sum() > 20_000  # the gray points
    ink = page.locator("h1").evaluate("one => getComputedStyle(one).color")
    assert (sum(map(int, re.findall(r"\d+", ink))) < 300) == (theme == "light")
    assert page.errors == []


def test_small_laptop_sees_all_of_it(page):
    page.set_viewport_size({"width": 1024, "height": 640})
    page.wait_for_timeout(200)
    assert page.evaluate("document.documentElement.scrollWidth") <= 1024
    page.locator("#export").scroll_into_view_if_needed()
    expect(page.locator("#export")).to_be_in_viewport()
    page.keyboard.press("0")
    x, y = page.evaluate("explorer.place(7)")
    assert 0 < x < 1024 and 0 < y < 640


def test_browser_without_webgl_is_told(chromium, address):
    path = system_program("chromium", "chromium")
    browser = chromium.browser_type.launch(executable_path=path, args=["--no-sandbox", "--disable-3d-apis"])
    page = browser.new_page()
    page.goto(address)
    expect(page.locator("#status")).to_contain_text("cannot draw the map")
    browser.close()
