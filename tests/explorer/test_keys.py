"""The keyboard, the wheel, and the help that names the keys."""

import re

import pytest
from playwright.sync_api import expect

from explorer.browser import drag_mouse, get_state, read_pressed, switch_layer
from helpers import ROOT


@pytest.mark.chromium
def test_keyboard_alone_is_enough(page):
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "pixel"
    page.keyboard.press("Tab")
    switch_layer(page, "Enter")
    assert get_state(page, "map") == 1
    assert read_pressed(page, "#layers button") == [False, True, False]
    switch_layer(page, "ArrowRight")
    assert get_state(page, "map") == 2
    switch_layer(page, "ArrowLeft")
    assert get_state(page, "map") == 1

    page.keyboard.press("r")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("1")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert get_state(page, "pinned") >= 0 and get_state(page, "map") == 1  # The open dialog took the keys.
    x, y = page.evaluate("explorer.place(7)")
    page.keyboard.press("Shift+ArrowRight")
    page.wait_for_function(f"explorer.place(7)[0] < {x} - 50")
    page.keyboard.press("+")
    page.keyboard.press("0")
    page.wait_for_function(f"Math.hypot(explorer.place(7)[0] - {x}, explorer.place(7)[1] - {y}) < 1")
    page.keyboard.press("Control+1")  # This key is the browser's.
    assert get_state(page, "map") == 1


@pytest.mark.chromium
def test_drag_moves_the_map_and_the_wheel_zooms(page):
    x, y = page.evaluate("explorer.place(7)")
    drag_mouse(page, (500, 400), (600, 350))
    page.wait_for_function(f"Math.hypot(explorer.place(7)[0] - {x + 100}, explorer.place(7)[1] - {y - 50}) < 5")
    assert get_state(page, "selection") == [] and get_state(page, "pinned") == -1
    distance = "Math.hypot(...[0, 1].map(i => explorer.place(7)[i] - explorer.place(9)[i]))"
    before = page.evaluate(distance)
    page.mouse.wheel(0, -300)
    page.wait_for_function(f"{distance} > {before} * 1.2")


def test_help_names_every_key():
    script = (ROOT / "scripts/explorer/modules/keys.js").read_text()
    keys = re.findall(r'^  "?([a-z?+0-]|Escape)"?: ', script.split("const KEYS = {")[1].split("};")[0], re.M)
    page = (ROOT / "scripts/explorer/explorer.html").read_text()
    named = {key.lower() for key in re.findall(r"<kbd>(.*?)</kbd>", page)}
    assert len(keys) > 8 and {{"Escape": "esc", "-": "\N{MINUS SIGN}"}.get(key, key) for key in keys} <= named
