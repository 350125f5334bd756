"""Images in place of points, where the reader is near enough that they have room."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from playwright.sync_api import Page, expect

from explorer.browser import get_state
from explorer.page_input import PageInput

pytestmark = pytest.mark.chromium


def come_near(page: Page, image: int, distance: float = 0.08) -> None:
    """Show the surroundings of an image."""
    page.evaluate(
        f"""explorer.plot.zoomToLocation([explorer.maps[0].x[{image}], explorer.maps[0].y[{image}]], {distance})"""
    )
    page.wait_for_timeout(500)


def read_tile(page: Page, image: int) -> tuple[np.ndarray, float]:
    """Return the pixels of the canvas of images around an image, and half the side of what is there."""
    script = """([image]) => {
        const canvas = document.getElementById("pictures");
        const [x, y] = explorer.place(image).map((one) => Math.round(one * devicePixelRatio));
        const { data } = canvas.getContext("2d").getImageData(x - 40, y - 40, 80, 80);
        return [...data];
    }"""
    return np.reshape(page.evaluate(script, [image]), (80, 80, 4))


def test_from_afar_there_are_points(page):
    expect(page.locator("#pictures")).to_be_hidden()
    assert page.locator("#tiles").get_attribute("aria-pressed") == "true"


def test_near_images_take_the_place_of_points(page, digits: PageInput):
    come_near(page, 7)
    expect(page.locator("#pictures")).to_be_visible()
    tile = read_tile(page, 7)
    assert tile[40, 40, 3] == 255 and (tile[:, :, 3] == 0).any(), "it is there, and has an end"
    assert page.locator("#pictures").evaluate("one => getComputedStyle(one).filter") == "invert(1)"
    # The frame has the color of the class, which the style sheet inverts.
    color = np.array(to_rgb(page.evaluate(f"explorer.data.colors[{digits.maps.label[7]}]")))
    distances = np.abs(tile[:, :, :3] / 255 - (1 - color)).max(axis=2)
    assert (distances < 0.02).sum() > 20


def test_switch_turns_images_off_and_the_address_says_so(page, open_page):
    come_near(page, 7)
    page.keyboard.press("i")
    expect(page.locator("#pictures")).to_be_hidden()
    assert not get_state(page, "tiles")
    page.keyboard.press("+")
    page.wait_for_function("location.hash.includes('images=points')")
    assert not get_state(open_page(page.url), "tiles")
    page.keyboard.press("i")
    expect(page.locator("#pictures")).to_be_visible()


def test_gray_images_stay_points(page, digits: PageInput):
    other = next(label for label in range(10) if label != digits.maps.label[7])
    page.evaluate(f"explorer.state.classes.add({other})")
    page.locator("#classes button").nth(other).click()
    page.locator("#classes button").nth(other).click()
    come_near(page, 7, 0.02)
    shown = page.locator("#pictures").evaluate("one => one.hidden")
    assert shown or read_tile(page, 7)[40, 40, 3] == 0


@pytest.mark.parametrize("scale", [1, 2])
def test_images_are_sharp_at_the_resolution_of_the_screen(open_page, address, scale):
    page = open_page(address, device_scale_factor=scale)
    come_near(page, 7)
    box = page.locator("#pictures").bounding_box()
    size = page.locator("#pictures").evaluate("one => [one.width, one.height]")
    assert size == pytest.approx([scale * box["width"], scale * box["height"]], abs=1)


def test_images_of_a_dark_page_are_not_inverted(open_page, address):
    page = open_page(address, color_scheme="dark")
    come_near(page, 7)
    assert page.locator("#pictures").evaluate("one => getComputedStyle(one).filter") == "none"
