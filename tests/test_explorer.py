"""The explorer, in a real Chromium: what a reader sees and does."""

import io
import json
import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from build_explorer import build_explorer, load_maps, make_page_data, read_tables
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright
from skimage.transform import resize
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from common.explorer.sprite_sheets import choose_tile_size, make_sprite_sheets
from common.figures import class_colors, frame
from common.jobs import UserError
from helpers import ROOT, system_program

LAYERS = ["pixel", "conv1", "dense3"]
DIGITS = [str(number) for number in range(10)]
TRAIN = 1500  # of scikit-learn's 1,797 digits; the others are held out
WIDTH, HEIGHT = 1280, 800
SWIFTSHADER = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]  # WebGL without a GPU


@dataclass(frozen=True)
class Input:
    """What the page is made of."""

    maps: pd.DataFrame
    images: np.ndarray
    neighbors: dict[str, np.ndarray]

    def page(self, folder: Path, name: str = "explorer.html") -> str:
        """Make the page; its address."""
        images = self.images[:TRAIN], self.images[TRAIN:]
        data = make_page_data("Digits", LAYERS, "petroff10", DIGITS, self.maps, images, self.neighbors)
        (folder / name).write_text(build_explorer(data))
        return (folder / name).as_uri()

    @property
    def wrong(self) -> np.ndarray:
        """The images that are predicted wrong."""
        return np.flatnonzero(self.maps.prediction != self.maps.label)


@pytest.fixture(scope="module")
def made() -> Input:
    """The digits; as layers, pairs of their principal components, in which an image has other neighbors each time."""
    digits = load_digits()
    ids = np.concatenate([np.arange(TRAIN), np.arange(1797 - TRAIN)])
    maps = pd.DataFrame(
        {"id": ids, "split": np.where(np.arange(1797) < TRAIN, "train", "test"), "label": digits.target}
    )
    generator = np.random.default_rng(0)
    maps["prediction"] = np.where(generator.random(1797) < 0.015, (digits.target + 1) % 10, digits.target)
    maps["confidence"] = generator.uniform(0.3, 1, 1797).round(4)
    components = PCA(6, random_state=0).fit_transform(digits.data)
    neighbors = {}
    for number, layer in enumerate(LAYERS):
        pair = components[:, 2 * number : 2 * number + 2]
        maps[f"{layer}_x"], maps[f"{layer}_y"] = pair.T
        search = NearestNeighbors(n_neighbors=11).fit(pair[:TRAIN])
        neighbors[layer] = search.kneighbors(pair, return_distance=False)[:, 1:11].astype(np.int32)
    return Input(maps, (digits.images / 16)[..., None].astype(np.float32), neighbors)


@pytest.fixture(scope="module")
def address(made, tmp_path_factory) -> str:
    return made.page(tmp_path_factory.mktemp("explorer"))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = system_program("chromium", "chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=[*SWIFTSHADER, "--disable-background-networking"]
        )
        yield browser
        browser.close()


def visit(chromium: Browser, address: str, **options) -> Page:
    """Open the page in a context of its own; page.complaints is what goes wrong, page.requests what it asks for."""
    page = chromium.new_context(viewport={"width": WIDTH, "height": HEIGHT}, **options).new_page()
    page.complaints, page.requests = [], []
    page.on("console", lambda message: message.type == "error" and page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("request", lambda request: page.requests.append(request.url))
    page.goto(address)
    page.evaluate("explorer.ready")
    return page


@pytest.fixture
def page(chromium, address) -> Iterator[Page]:
    """The page of the digits; in the end it has complained of nothing and asked for nothing."""
    page = visit(chromium, address)
    yield page
    assert page.complaints == [] and page.requests == [address]
    page.context.close()


def state(page: Page, name: str):
    """A part of the page's state."""
    return page.evaluate(f"explorer.state.{name}")


def places(page: Page, made: Input, layer: str) -> np.ndarray:
    """Where the images of a layer's whole map must be in the window, (n, 2), computed from the input."""
    map = page.locator("#points").bounding_box()
    coordinates = made.maps[[f"{layer}_x", f"{layer}_y"]].to_numpy()
    center, side = frame(coordinates)
    right, up = ((coordinates - center) / side * map["height"]).T
    return np.column_stack([map["x"] + map["width"] / 2 + right, map["y"] + map["height"] / 2 - up])


def pin(page: Page, place: np.ndarray) -> None:
    """Click at a place in the window; on a busy machine again, since to the library a click that takes long is none."""
    for _ in range(5):
        page.mouse.click(*place)
        if state(page, "pinned") >= 0:
            return


def lonely(made: Input, layer: str, among: np.ndarray) -> int:
    """The image among some that is farthest from its nearest neighbor on the map: no doubt what one points at."""
    coordinates = made.maps[[f"{layer}_x", f"{layer}_y"]].to_numpy()
    distances, _ = NearestNeighbors(n_neighbors=2).fit(coordinates).kneighbors(coordinates[among])
    return int(among[distances[:, 1].argmax()])


def point_at(page: Page, place: np.ndarray) -> None:
    """Move the mouse there."""
    page.mouse.move(place[0] + 1, place[1])
    page.mouse.move(*place)


def switch(page: Page, key: str) -> None:
    """Choose a layer with the keyboard, and wait until all points are there."""
    page.keyboard.press(key)
    page.wait_for_function("explorer.state.progress === 1")


def pixels(page: Page) -> np.ndarray:
    """What the map shows, (height, width, 3), without the marks."""
    page.wait_for_timeout(200)  # the next frames
    page.add_style_tag(content="#marks, #tip, #tools, #status { visibility: hidden }")
    shot = page.locator("#points").screenshot()
    return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB"), int)


def painted(page: Page, selector: str) -> np.ndarray:
    """The pixels of a canvas with an image, (height, width, 3), from black to white."""
    page.wait_for_function(f"document.querySelector('{selector}').width < 100")  # 300 until it is painted
    script = """canvas => [canvas.height, canvas.width,
        ...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data]"""
    height, width, *values = page.locator(selector).first.evaluate(script)
    return np.reshape(values, (height, width, 4))[:, :, :3]


def test_page_loads_without_an_error_or_a_request(page):
    assert page.locator("#status").text_content() == "1,797 images, all in color"
    assert page.locator("#layers button").all_text_contents() == LAYERS
    assert page.title().endswith("Digits")
    colors = {tuple(color) for color in pixels(page).reshape(-1, 3)[::3]}
    assert len(colors) > 100  # of ten classes, and of the points' soft edges


def test_page_that_could_fetch_something_would_be_kept_from_it(chromium, address):
    page = visit(chromium, address)
    page.evaluate("fetch('https://example.com').catch(() => null)")
    assert "Content Security Policy" in page.complaints[0]
    page.context.close()


def test_hover_shows_the_image_its_label_prediction_and_neighbors(page, made):
    image = lonely(made, "pixel", np.arange(1797))
    point_at(page, places(page, made, "pixel")[image])
    row = made.maps.iloc[image]
    wanted = ["Label", str(row.label), "Prediction", f"{row.prediction}, {100 * row.confidence:.1f} %"]
    assert page.locator("#facts > *").all_text_contents()[:4] == wanted
    levels = np.rint(made.images[image] * 15) * 17
    for canvas in ("#image", "#tip"):
        assert np.array_equal(painted(page, canvas), np.repeat(levels, 3, axis=2))
    neighbors = made.neighbors["pixel"][image, :10]
    titles = [f"{made.maps.label[neighbor]}, no. {neighbor}" for neighbor in neighbors]
    assert page.locator("#neighbors button").evaluate_all("all => all.map(one => one.title)") == titles
    first = painted(page, "#neighbors canvas")
    assert np.array_equal(first[:, :, 0], np.rint(made.images[neighbors[0], :, :, 0] * 15) * 17)
    page.mouse.move(5, 5)
    expect(page.locator("#about")).to_be_hidden()


def test_switch_moves_each_image_to_its_place_in_the_other_map(page, made):
    image = lonely(made, "conv1", np.arange(1797))
    origin = page.locator("#points").bounding_box()
    before, after = (places(page, made, layer)[image] for layer in ("pixel", "conv1"))
    assert np.linalg.norm(after - before) > 50

    page.keyboard.press("2")
    page.wait_for_function("explorer.state.progress > 0 && explorer.state.progress < 1")
    progress, *place = page.evaluate(f"[explorer.state.progress, ...explorer.place({image})]")
    assert 0 < progress < 1
    assert np.allclose(np.add(place, [origin["x"], origin["y"]]), before + progress * (after - before), atol=0.5)

    page.wait_for_function("explorer.state.progress === 1")
    point_at(page, after)
    assert state(page, "hovered") == image
    point_at(page, before)
    assert state(page, "hovered") != image


def test_points_are_drawn_at_their_places(page, made):
    for key, layer in (("3", "dense3"), ("1", "pixel")):
        switch(page, key)
        image = lonely(made, layer, np.arange(1797))
        at = page.locator("#points").bounding_box()
        x, y = (places(page, made, layer)[image] - [at["x"], at["y"]]).round().astype(int)
        color = 255 * class_colors("petroff10", 10)[made.maps.label[image]]
        assert np.abs(pixels(page)[y, x] - color).max() < 40
    drawn = colored(page, made, np.arange(1797))
    for label in range(10):  # most of each class, since others lie above some
        assert drawn[made.maps.label == label].mean() > 0.4


def test_layers_asked_for_in_a_hurry_end_at_the_last(page):
    for key in "231":
        page.keyboard.press(key)
    page.keyboard.press("3")
    page.wait_for_function("explorer.state.layer === 2 && explorer.state.progress === 1")
    pressed = page.locator("#layers button").evaluate_all("all => all.map(one => one.ariaPressed)")
    assert pressed == ["false", "false", "true"]


def test_reduced_motion_switches_at_once(chromium, address):
    page = visit(chromium, address, reduced_motion="reduce")
    assert page.evaluate("(explorer.show(1), explorer.state.progress)") == 1
    page.context.close()


def marks(page: Page) -> np.ndarray:
    """Where the marks of the neighbors are, (10, 2), in the window."""
    at = page.locator("#points").bounding_box()
    script = (
        "all => all.filter(one => one.r.baseVal.value < 5).map(one => [one.cx.baseVal.value, one.cy.baseVal.value])"
    )
    return page.locator("#marks circle").evaluate_all(script) + np.array([at["x"], at["y"]])


def test_click_pins_and_marks_neighbors_in_every_layer(page, made):
    image = lonely(made, "pixel", np.arange(1797))
    pin(page, places(page, made, "pixel")[image])
    page.mouse.move(5, 5)
    for key, layer in (("1", "pixel"), ("2", "conv1"), ("3", "dense3")):
        switch(page, key)
        assert state(page, "pinned") == image
        assert page.locator("#facts dd").last.text_content() == f"no. {made.maps.id[image]}"
        assert np.allclose(marks(page), places(page, made, layer)[made.neighbors[layer][image, :10]], atol=0.5)
    page.keyboard.press("Escape")
    assert state(page, "pinned") == -1
    expect(page.locator("#marks line").first).to_be_hidden()


def test_click_on_a_neighbor_pins_it(page, made):
    page.keyboard.press("r")
    image = state(page, "pinned")
    page.locator("#neighbors button").nth(3).press("Enter")
    assert state(page, "pinned") == made.neighbors["pixel"][image, 3]
    assert page.evaluate("document.activeElement.parentElement.id") == "neighbors"


def colored(page: Page, made: Input, images: np.ndarray) -> np.ndarray:
    """Whether the points of images, in the map of the pixels, are drawn in their class's color."""
    at = page.locator("#points").bounding_box()
    x, y = (places(page, made, "pixel")[images] - [at["x"], at["y"]]).astype(int).T
    colors = 255 * class_colors("petroff10", 10)[made.maps.label[images]]
    return np.abs(pixels(page)[y, x] - colors).max(axis=1) < 40


def of_color(page: Page, label: int) -> int:
    """How many pixels of the map have the color of a class."""
    color = 255 * class_colors("petroff10", 10)[label]
    return int((np.abs(pixels(page) - color).max(axis=2) < 30).sum())


def test_class_singled_out_leaves_the_others_grey(page, made):
    before = [of_color(page, label) for label in (0, 4)]
    button = page.locator("#classes button", has_text="4")
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    four = (made.maps.label == 4).sum()
    assert page.locator("#status").text_content() == f"{four} of 1,797 images in color"
    assert before[0] > 0 and of_color(page, 0) == 0
    assert colored(page, made, np.flatnonzero(made.maps.label == 4)).all()  # those in color lie above those in grey

    places_now = places(page, made, "pixel")
    zero = lonely(made, "pixel", np.flatnonzero(made.maps.label == 0))
    point_at(page, places_now[zero])
    hovered = state(page, "hovered")
    assert hovered == -1 or made.maps.label[hovered] == 4
    page.locator("#classes button", has_text="7").click()  # another class with as many kinds of points
    button.click()
    assert of_color(page, 4) == 0 and of_color(page, 7) > 0
    page.locator("#classes button", has_text="7").click()
    assert of_color(page, 0) == before[0]


def test_image_in_color_is_found_among_grey_ones(page, made):
    page.keyboard.press("w")
    for image in made.wrong:
        point_at(page, places(page, made, "pixel")[image])
        found = state(page, "hovered")
        assert found in made.wrong
        assert np.linalg.norm(np.subtract(*places(page, made, "pixel")[[found, image]])) < 1


def test_image_in_color_is_found_as_soon_as_the_mouse_is_near(page, made):
    place = places(page, made, "pixel")
    page.keyboard.press("w")

    def nearest(point: np.ndarray, among: np.ndarray) -> tuple[int, float]:
        distances = np.linalg.norm(place[among] - point, axis=1)
        return int(among[distances.argmin()]), distances.min()

    tried = 0
    for image in made.wrong:
        for angle in np.linspace(0, 2 * np.pi, 16):
            far, near = (place[image] + away * np.array([np.cos(angle), np.sin(angle)]) for away in (14, 7))
            grey = {nearest(point, np.arange(1797))[0] for point in (far, near)}
            if len(grey) == 1 and not grey & set(made.wrong) and nearest(far, made.wrong)[1] > 13:
                page.mouse.move(*far)  # the same grey image is the nearest in both places
                assert state(page, "hovered") == -1
                page.mouse.move(*near)
                assert state(page, "hovered") == nearest(near, made.wrong)[0]
                tried += 1
    assert tried


def test_wrong_predictions_alone_in_color(page, made):
    page.keyboard.press("w")
    assert page.locator("#wrong").get_attribute("aria-pressed") == "true"
    assert page.locator("#status").text_content() == f"{len(made.wrong)} of 1,797 images in color"
    assert page.locator("#misses").text_content() == str(len(made.wrong))
    page.keyboard.press("v")
    assert state(page, "selection") == made.wrong.tolist()
    page.mouse.move(*places(page, made, "pixel")[made.wrong[0]])
    expect(page.locator("#facts .miss")).to_be_visible()


def test_few_in_color_are_large_each_of_them(page, made):
    counts = made.maps.label[made.wrong].value_counts()
    first, second = counts.index[-2:]  # the rarest
    page.keyboard.press("w")
    page.locator("#classes button").nth(second).click()
    alone = of_color(page, second)
    page.keyboard.press("Escape")
    page.keyboard.press("w")
    page.locator("#classes button").nth(first).click()
    page.locator("#classes button").nth(second).click()
    assert alone > 200 * counts[second] and of_color(page, second) > 0.9 * alone


def test_heldout_images_can_be_told_apart_and_hidden(page, made):
    test = lonely(made, "pixel", np.arange(TRAIN, 1797))
    page.get_by_role("button", name="only these").click()
    assert page.locator("#status").text_content() == "297 of 1,797 images in color"
    page.keyboard.press("v")
    assert state(page, "selection") == list(range(TRAIN, 1797))
    pin(page, places(page, made, "pixel")[test])
    assert state(page, "pinned") == test and "Held out" in page.locator("#facts").text_content()

    page.get_by_role("button", name="hidden").click()
    assert page.locator("#status").text_content() == "1,500 images, all in color"
    assert state(page, "pinned") == -1 and state(page, "selection") == []
    point_at(page, places(page, made, "pixel")[test])
    assert state(page, "hovered") < TRAIN
    assert not colored(page, made, np.array([test])).any()
    switch(page, "2")  # and they stay so
    switch(page, "1")
    assert not colored(page, made, np.array([test])).any()
    switch(page, "2")
    point_at(page, places(page, made, "conv1")[lonely(made, "conv1", np.arange(TRAIN, 1797))])
    assert state(page, "hovered") < TRAIN
    page.keyboard.press("v")
    assert state(page, "selection") == list(range(TRAIN))


def drag(page: Page, start: tuple[int, int], end: tuple[int, int]) -> None:
    """Draw a box with the mouse, from a corner to the one across."""
    page.mouse.move(*start)
    page.mouse.down()
    for share in (0.01, 0.3, 0.7, 1):
        page.mouse.move(*(a + share * (b - a) for a, b in zip(start, end, strict=True)))
        page.wait_for_timeout(50)  # the library follows the mouse at intervals
    page.mouse.up()


@pytest.mark.parametrize("way", ["box", "shift"])
def test_box_selects_what_is_in_it_and_exports_its_ids(page, made, way):
    start, end = (400, 250), (640, 460)
    if way == "box":
        page.get_by_role("button", name="Box").click()
    else:
        page.keyboard.down("Shift")
    drag(page, start, end)
    page.keyboard.up("Shift")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    assert download.value.suggested_filename == "Digits_pixel_selection.csv"
    table = pd.read_csv(download.value.path())
    assert list(table.columns) == ["id", "split", "label", "prediction"]

    place = places(page, made, "pixel")
    inside = [((place > np.add(start, slack)) & (place < np.subtract(end, slack))).all(axis=1) for slack in (4, -4)]
    rows = set(zip(table.split, table.id, strict=True))
    surely, perhaps = ({(made.maps.split[i], made.maps.id[i]) for i in np.flatnonzero(which)} for which in inside)
    assert len(rows) == len(table) and surely <= rows <= perhaps  # the box begins a pixel or two late
    assert len(surely) > 100 and {split for split, _ in rows} == {"train", "test"}
    assert page.locator("#selected").text_content().startswith(f"{len(table)} images")

    page.get_by_role("button", name="Clear").click()
    assert state(page, "selection") == [] and page.get_by_role("button", name="Export").is_disabled()


def test_box_takes_only_what_is_in_color_and_a_click_keeps_it(page, made):
    page.locator("#classes button", has_text="3").click()
    page.keyboard.press("b")
    drag(page, (300, 150), (800, 700))
    selection = state(page, "selection")
    assert len(selection) > 20 and set(made.maps.label[selection]) == {3}
    pin(page, places(page, made, "pixel")[selection[0]])
    assert state(page, "pinned") in selection and state(page, "selection") == selection
    assert sorted(page.evaluate("explorer.plot.get('selectedPoints')")) == selection
    page.keyboard.press("Escape")
    assert state(page, "pinned") == -1 and state(page, "selection") == selection
    page.keyboard.press("Escape")
    assert state(page, "selection") == []
    page.keyboard.press("Escape")
    assert page.locator("#status").text_content() == "1,797 images, all in color"


def test_keyboard_alone_is_enough(page):
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "pixel"
    page.keyboard.press("Tab")
    switch(page, "Enter")
    assert state(page, "layer") == 1
    pressed = page.locator("#layers button").evaluate_all("all => all.map(one => one.ariaPressed)")
    assert pressed == ["false", "true", "false"]
    switch(page, "ArrowRight")
    assert state(page, "layer") == 2
    switch(page, "ArrowLeft")
    assert state(page, "layer") == 1

    page.keyboard.press("r")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("1")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert state(page, "pinned") >= 0 and state(page, "layer") == 1  # the keys were the dialog's
    x, y = page.evaluate("explorer.place(7)")
    page.keyboard.press("Shift+ArrowRight")
    page.wait_for_function(f"explorer.place(7)[0] < {x} - 50")
    page.keyboard.press("+")
    page.keyboard.press("0")
    page.wait_for_function(f"Math.hypot(explorer.place(7)[0] - {x}, explorer.place(7)[1] - {y}) < 1")
    page.keyboard.press("Control+1")  # not ours
    assert state(page, "layer") == 1


def test_help_names_every_key():
    script = (ROOT / "scripts/explorer/keys.js").read_text()
    keys = re.findall(r'^  "?([a-z?+0-]|Escape)"?: ', script.split("const KEYS = {")[1].split("};")[0], re.M)
    page = (ROOT / "scripts/explorer/explorer.html").read_text()
    named = {key.lower() for key in re.findall(r"<kbd>(.*?)</kbd>", page)}
    assert len(keys) > 8 and {{"Escape": "esc", "-": "\N{MINUS SIGN}"}.get(key, key) for key in keys} <= named


def test_drag_moves_the_map_and_the_wheel_zooms(page, made):
    x, y = page.evaluate("explorer.place(7)")
    drag(page, (500, 400), (600, 350))
    page.wait_for_function(f"Math.hypot(explorer.place(7)[0] - {x + 100}, explorer.place(7)[1] - {y - 50}) < 5")
    assert state(page, "selection") == [] and state(page, "pinned") == -1
    script = "Math.hypot(...[0, 1].map(i => explorer.place(7)[i] - explorer.place(9)[i]))"
    before = page.evaluate(script)
    page.mouse.wheel(0, -300)
    page.wait_for_function(f"{script} > {before} * 1.2")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_page_follows_the_theme(chromium, address, theme):
    page = visit(chromium, address, color_scheme={"light": "dark", "dark": "light"}[theme])
    page.keyboard.press("w")
    page.emulate_media(color_scheme=theme)
    picture = pixels(page)
    paper, grey = {"light": (253, 221), "dark": (19, 48)}[theme]
    assert abs(np.median(picture[:, :, 0]) - paper) < 3
    assert (np.abs(picture[:, :, 0] - grey) < 6).sum() > 20_000  # the grey points too
    ink = page.locator("h1").evaluate("one => getComputedStyle(one).color")
    assert (sum(map(int, re.findall(r"\d+", ink))) < 300) == (theme == "light")
    assert page.complaints == []
    page.context.close()


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


def test_without_a_network_there_are_no_predictions(chromium, made, tmp_path):
    maps = made.maps.drop(columns=["prediction", "confidence"])
    page = visit(chromium, Input(maps, made.images, made.neighbors).page(tmp_path))
    expect(page.locator("#wrong")).to_be_hidden()
    page.keyboard.press("w")
    page.keyboard.press("r")
    assert "Prediction" not in page.locator("#facts").text_content()
    page.keyboard.press("v")
    assert page.evaluate("explorer.csv()").startswith("id,split,label\n0,train,0\n")
    assert page.complaints == []
    page.context.close()


def show(chromium: Browser, folder: Path, data: dict) -> Page:
    """Open a page of other data."""
    (folder / "explorer.html").write_text(build_explorer(data))
    return visit(chromium, (folder / "explorer.html").as_uri())


def test_color_images_of_any_shape(chromium, made, tmp_path):
    generator = np.random.default_rng(0)
    corners = generator.random((1797, 2, 2, 3), np.float32)
    images = np.stack([resize(corner, (200, 100, 3), order=1) for corner in corners]).astype(np.float32)
    data = make_page_data("Tints", LAYERS, "auto", DIGITS, made.maps, (images[:TRAIN], images[TRAIN:]), made.neighbors)
    assert sum(map(len, data["sheets"])) < 4e6  # a hundredth of all pixels
    page = show(chromium, tmp_path, data)
    page.evaluate("explorer.pin(1700)")
    shown = painted(page, "#image")
    assert shown.shape == (64, 32, 3)
    assert np.abs(shown - 255 * resize(images[1700], (64, 32), anti_aliasing=True)).mean() < 4
    assert page.locator("#image").evaluate("one => getComputedStyle(one).filter") == "none"  # nothing is inverted
    assert page.complaints == []
    page.context.close()


def test_a_thousand_classes_with_names_that_nobody_can_trust(chromium, made, tmp_path):
    classes = [f"n{number:04} <img src=x onerror=alert(1)>" for number in range(1000)]
    classes[3], classes[4] = 'a "quoted", name', "nan"
    labels = np.arange(1797) % 1000
    maps = made.maps.assign(label=labels, prediction=labels)
    images = made.images[:TRAIN], made.images[TRAIN:]
    page = show(chromium, tmp_path, make_page_data("Many", LAYERS, "auto", classes, maps, images, made.neighbors))
    assert page.locator("#classes button").all_text_contents() == classes
    assert page.locator("img").count() == 0
    sizes = page.locator("#classes").evaluate("one => [one.clientHeight, one.scrollHeight, one.scrollWidth]")
    assert sizes[0] < 220 and sizes[1] > 20_000 and sizes[2] < 308, "a list that scrolls"
    page.locator("#classes button").nth(999).click()
    assert page.locator("#status").text_content() == "1 of 1,797 images in color"
    color = 255 * class_colors("auto", 1000)[999]
    x, y = page.evaluate("explorer.place(999)")
    assert np.abs(pixels(page)[round(y), round(x)] - color).max() < 40
    page.keyboard.press("v")
    assert state(page, "selection") == [999]
    page.evaluate("explorer.select([3, 4, 5])")
    table = pd.read_csv(io.StringIO(page.evaluate("explorer.csv()")), keep_default_na=False)
    assert table.label.tolist() == classes[3:6]
    assert page.complaints == []
    page.context.close()


def shown_names(page: Page) -> dict[str, list[float]]:
    """The names that are seen on the map, and the box of each: left, top, width, height."""
    script = """all => all.filter(one => one.getAttribute("visibility") === "inherit")
        .map(one => [one.textContent, one.getBBox()])
        .map(([text, box]) => [text, box.x, box.y, box.width, box.height])"""
    return {text: box for text, *box in page.locator("#marks text").evaluate_all(script)}


def test_no_name_covers_another_and_more_are_seen_from_near(chromium, made, tmp_path):
    classes = [f"the class {number}" for number in range(100)]
    labels = NearestNeighbors(n_neighbors=1).fit(made.maps[["pixel_x", "pixel_y"]][:100])
    labels = labels.kneighbors(made.maps[["pixel_x", "pixel_y"]], return_distance=False)[:, 0]
    maps = made.maps.assign(label=labels, prediction=labels)
    images = made.images[:TRAIN], made.images[TRAIN:]
    page = show(chromium, tmp_path, make_page_data("Named", LAYERS, "auto", classes, maps, images, made.neighbors))
    names = shown_names(page)
    assert 10 < len(names) < 100
    for (x, y, width, _), (left, top, wide, _) in combinations(names.values(), 2):
        assert abs(x + width / 2 - left - wide / 2) > (width + wide) / 2 - 1 or abs(y - top) > 10
    page.keyboard.press("+")
    page.keyboard.press("+")
    page.wait_for_timeout(500)
    assert len(shown_names(page).keys() - names) > 5
    page.context.close()


def test_without_labels_there_are_no_classes(chromium, made, tmp_path):
    maps = made.maps.drop(columns=["label", "prediction", "confidence"])
    images = made.images[:TRAIN], made.images[TRAIN:]
    page = show(chromium, tmp_path, make_page_data("Unknown", LAYERS, "auto", [], maps, images, made.neighbors))
    expect(page.locator("#classes")).to_be_hidden()
    assert page.locator("#status").text_content() == "1,797 images"
    page.evaluate("explorer.pin(1700)")
    assert page.locator("#facts > *").all_text_contents() == ["Held out", "no. 200"]
    titles = page.locator("#neighbors button").evaluate_all("all => all.map(one => one.title)")
    assert titles == [f"no. {neighbor}" for neighbor in made.neighbors["pixel"][1700]]
    assert page.locator("#neighbors p").count() == 0
    page.evaluate("explorer.select([7])")
    assert page.evaluate("explorer.csv()") == "id,split\n7,train\n"
    x, y = page.evaluate("(explorer.pin(-1), explorer.select([]), explorer.place(7))")
    assert np.abs(pixels(page)[round(y), round(x)] - 255 * class_colors("auto", 0)[0]).max() < 40
    assert page.complaints == []
    page.context.close()


def test_vectors_have_names_and_numbers_but_no_pictures(chromium, made, tmp_path):
    maps = made.maps[:TRAIN].drop(columns=["prediction", "confidence"])
    neighbors = {layer: rows[:TRAIN] for layer, rows in made.neighbors.items()}
    page = show(chromium, tmp_path, make_page_data("Vectors", LAYERS, "auto", DIGITS, maps, [], neighbors))
    assert page.locator("#status").text_content() == "1,500 rows, all in color"
    assert not re.search("image|training", page.locator("body").inner_text())
    page.keyboard.press("h")  # nothing is held out
    expect(page.locator("#show")).to_be_hidden()
    image = lonely(made, "pixel", np.arange(TRAIN))
    vectors = Input(maps, made.images, neighbors)
    point_at(page, places(page, vectors, "pixel")[image])
    found = state(page, "hovered")
    assert page.locator("#facts > *").all_text_contents() == [
        "Label",
        str(maps.label[found]),
        "Row",
        f"no. {found}",
    ]
    assert page.locator("#neighbors button").all_text_contents() == [
        f"{maps.label[neighbor]}, no. {neighbor}" for neighbor in neighbors["pixel"][found]
    ]
    for canvas in ("#tip", "#image"):
        expect(page.locator(canvas)).to_be_hidden()
    assert page.complaints == []
    page.context.close()


def test_classes_are_read_as_they_are_named(tmp_path):
    path = tmp_path / "maps.csv"
    maps = pd.DataFrame({"label": ["01", "nan", "1", "NA"], "prediction": ["1", "NA", "nan", "01"], "confidence": 0.5})
    maps.to_csv(path, index=False)
    read = load_maps(path, ["1", "01", "NA", "nan"])
    assert read.label.tolist() == [1, 3, 0, 2] and read.prediction.tolist() == [0, 2, 3, 1]
    assert list(load_maps(path, []).columns) == []
    with pytest.raises(UserError, match=r"maps.csv is damaged \(its label 'NA' is none of the classes\); make anew"):
        load_maps(path, ["1", "01", "nan"])
    maps.assign(prediction="", confidence=np.nan).to_csv(path, index=False)  # of a network of other classes
    assert list(load_maps(path, ["1", "01", "NA", "nan"]).columns) == ["label"]


def test_files_of_different_lengths_are_named(made, tmp_path):
    made.maps.to_csv(tmp_path / "maps.csv", index=False)
    images, neighbors = [], []
    for split, rows in {"train": slice(TRAIN), "test": slice(TRAIN, None)}.items():
        images.append(f"{tmp_path}/{split}_images.npy")
        np.save(images[-1], made.images[rows])
        neighbors.append(f"{tmp_path}/{split}.npz")
        np.savez(neighbors[-1], indices=np.zeros((len(made.images[rows]), 12), np.int32))
    paths = f"{tmp_path}/maps.csv", DIGITS, images, {"pixel": tuple(neighbors)}
    maps, read, nearest = read_tables(*paths)
    assert maps.label.equals(made.maps.label) and [len(part) for part in read] == [TRAIN, 297]
    assert nearest["pixel"].shape == (1797, 10)
    np.savez(neighbors[1], indices=np.zeros((5, 12), np.int32))
    with pytest.raises(UserError, match=r"maps.csv has 1797 rows, .*/train.npz and .*/test.npz have 1505; make anew"):
        read_tables(*paths)


@pytest.mark.parametrize(("count", "shape"), [(1, (28, 28)), (1400, (28, 28)), (7, (60, 9))])
def test_sprite_sheets_hold_each_image_once(count, shape):
    images = np.random.default_rng(0).integers(16, size=(count, *shape, 1)).astype(np.float32) / 15
    side, size, sheets = make_sprite_sheets([images[: count // 3], images[count // 3 :], images[:0]])
    assert size == shape and len(sheets) == -(-count // side**2)
    for number in {0, count // 2, count - 1}:
        stored = b64decode(sheets[number // side**2].removeprefix("data:image/png;base64,"))
        sheet = np.asarray(Image.open(io.BytesIO(stored)).convert("L"))
        assert max(sheet.shape) <= 1024
        row, column = divmod(number % side**2, side)
        tile = sheet[row * shape[0] : (row + 1) * shape[0], column * shape[1] : (column + 1) * shape[1]]
        assert np.array_equal(tile, np.rint(images[number, :, :, 0] * 255))


def test_images_in_sheets_are_the_smaller_the_more_there_are():
    assert choose_tile_size(28, 28, 60_000) == (28, 28) and choose_tile_size(32, 32, 60_000) == (32, 32)
    assert choose_tile_size(224, 112, 1000) == (64, 32) and choose_tile_size(8, 8, 10) == (8, 8)
    assert choose_tile_size(224, 224, 1_000_000) == (16, 16) and choose_tile_size(1000, 2, 10) == (64, 1)


def test_no_name_ends_the_data_early(made):
    images = made.images[:TRAIN], made.images[TRAIN:]
    name = "</script><h1>Digits"
    data = make_page_data(name, LAYERS, "petroff10", DIGITS, made.maps, images, made.neighbors)
    stored = re.search(r'<script type="application/json" id="data">(.*?)</script>', build_explorer(data), re.S)[1]
    assert json.loads(stored)["dataset"] == name


def test_library_is_the_bundle_of_the_pinned_versions():
    package = json.loads((ROOT / "scripts/explorer/package.json").read_text())
    library = (ROOT / "scripts/explorer/library.js").read_text()
    bundled = dict(re.findall(r"^/\*! (\S+) (\S+)$", library, re.M))
    assert bundled == package["dependencies"]
    assert len(library) < 1e6 and library.count("Permission ") >= len(bundled)  # each with its license
