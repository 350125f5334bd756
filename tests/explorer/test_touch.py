"""Touch, on a phone of 390 x 844."""

from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Page

from explorer.browser import find_lonely_image, get_state
from explorer.page_input import COUNT

pytestmark = pytest.mark.chromium

PHONE = {"has_touch": True, "is_mobile": True, "viewport": {"width": 390, "height": 844}}


@pytest.fixture
def phone(open_page, address) -> Page:
    page = open_page(address, **PHONE)
    yield page
    assert page.errors == []


@pytest.fixture
def touch(phone) -> Callable[..., None]:
    """A function that lays fingers on the window, moves or lifts them: it takes their positions."""
    session = phone.context.new_cdp_session(phone)

    def send(kind: str, *positions: tuple[float, float]) -> None:
        points = [{"x": float(x), "y": float(y), "id": number} for number, (x, y) in enumerate(positions)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    return send


def place(page: Page, image: int) -> np.ndarray:
    """Return where an image is in the window, (x, y)."""
    box = page.locator("#points").bounding_box()
    return np.add(page.evaluate(f"explorer.place({image})"), [box["x"], box["y"]])


def test_tap_pins_an_image_and_another_unpins_it(phone, touch, digits):
    image = find_lonely_image(digits, "pixel", np.arange(COUNT))
    for pinned in (image, -1):
        touch("touchStart", place(phone, image) + 3)
        touch("touchEnd")
        assert get_state(phone, "pinned") == pinned


def test_finger_moves_the_map(phone, touch):
    before = place(phone, 7)
    touch("touchStart", (200, 300))
    for step in (10, 40, 60):
        touch("touchMove", (200 + step, 300 - step / 2))
    touch("touchEnd")
    phone.wait_for_timeout(100)
    assert np.abs(place(phone, 7) - before - [60, -30]).max() < 2
    assert get_state(phone, "pinned") == -1


def test_two_fingers_zoom_the_map_around_their_middle_and_not_the_page(phone, touch):
    middle = np.array([200, 300])
    before = place(phone, 7)
    touch("touchStart", middle - [40, 0], np.add(middle, [40, 0]))
    for half in (50, 80):
        touch("touchMove", middle - [half, 0], np.add(middle, [half, 0]))
    touch("touchEnd")
    phone.wait_for_timeout(100)
    assert np.abs(place(phone, 7) - (middle + 2 * (before - middle))).max() < 3
    assert phone.evaluate("visualViewport.scale") == 1 and phone.evaluate("scrollY") == 0


def test_long_press_selects_with_a_box(phone, touch):
    start, end = np.array([120.0, 300.0]), np.array([260.0, 430.0])
    touch("touchStart", start)
    phone.wait_for_selector("#touched:not([hidden])", state="attached")
    for share in (0.3, 1):
        touch("touchMove", start + share * (end - start))
    touch("touchEnd")
    places = np.array([place(phone, image) for image in range(0, COUNT, 9)])
    inside = ((places > start) & (places < end)).all(axis=1)
    selected = np.isin(np.arange(0, COUNT, 9), get_state(phone, "selection"))
    assert inside.sum() > 10 and np.array_equal(selected, inside)
    assert phone.locator("#touched").is_hidden() and get_state(phone, "pinned") == -1
