"""Pages of other data: without labels, predictions or images, with color images, and with many classes."""

import io
import re
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from build_explorer import make_page_data
from playwright.sync_api import Page, expect
from skimage.transform import resize
from sklearn.neighbors import NearestNeighbors

from common.figures.palette import class_colors
from explorer.browser import (
    find_lonely_image,
    get_state,
    locate_images,
    point_at,
    read_canvas,
    read_map,
    read_titles,
)
from explorer.page_input import COUNT, DIGITS, TRAIN

pytestmark = pytest.mark.chromium


def read_color(page: Page, image: int) -> np.ndarray:
    """Return the color of the map where an image is, as red, green and blue."""
    x, y = page.evaluate(f"explorer.place({image})")
    return read_map(page)[round(y), round(x)]


def read_names(page: Page) -> dict[str, list[float]]:
    """Return the names that are visible on the map, and the box of each: left, top, width, height."""
    script = """all => all.filter(one => one.getAttribute("visibility") === "inherit")
        .map(one => [one.textContent, one.getBBox()])
        .map(([text, box]) => [text, box.x, box.y, box.width, box.height])"""
    return {text: box for text, *box in page.locator("#marks text").evaluate_all(script)}


def test_without_a_network_there_are_no_predictions(open_data, digits):
    maps = digits.maps.drop(columns=["prediction", "confidence"])
    page = open_data(replace(digits, maps=maps).make_data())
    expect(page.locator("#wrong")).to_be_hidden()
    page.keyboard.press("w")
    page.keyboard.press("r")
    assert "Prediction" not in page.locator("#facts").text_content()
    page.keyboard.press("v")
    assert page.evaluate("explorer.csv()").startswith("id,split,label\n0,train,0\n")


def test_predictions_may_have_no_confidence(open_data, digits):
    data = replace(digits, maps=digits.maps.drop(columns="confidence")).make_data()
    assert data["predicted"] and "confidence" not in data["arrays"]
    page = open_data(data)
    page.evaluate("explorer.pin(7)")
    facts = page.locator("#facts > *").all_text_contents()
    assert facts[2:4] == ["Prediction", DIGITS[digits.maps.prediction[7]]]


def test_color_images_of_any_shape(open_data, digits):
    generator = np.random.default_rng(0)
    corners = generator.random((COUNT, 2, 2, 3), np.float32)
    images = np.stack([resize(corner, (200, 100, 3), order=1) for corner in corners]).astype(np.float32)
    data = replace(digits, images=images).make_data("Tints", "auto")
    assert sum(map(len, data["sheets"])) < 4e6  # a hundredth of all pixels
    page = open_data(data)
    page.evaluate("explorer.pin(1700)")
    shown = read_canvas(page, "#image")
    assert shown.shape == (64, 32, 3)
    assert np.abs(shown - 255 * resize(images[1700], (64, 32), anti_aliasing=True)).mean() < 4
    assert page.locator("#image").evaluate("one => getComputedStyle(one).filter") == "none"  # not inverted


def test_a_thousand_classes_with_names_that_nobody_can_trust(open_data, digits):
    classes = [f"n{number:04} <img src=x onerror=alert(1)>" for number in range(1000)]
    classes[3], classes[4] = 'a "quoted", name', "nan"
    labels = np.arange(COUNT) % 1000
    maps = digits.maps.assign(label=labels, prediction=labels)
    page = open_data(replace(digits, maps=maps).make_data("Many", "auto", classes))
    assert page.locator("#classes button").all_text_contents() == classes
    assert page.locator("img").count() == 0
    sizes = page.locator("#classes").evaluate("one => [one.clientHeight, one.scrollHeight, one.scrollWidth]")
    assert sizes[0] < 300 and sizes[1] > 20_000 and sizes[2] < 308, "the list must scroll"
    page.locator("#classes button").nth(999).click()
    assert page.locator("#status").text_content() == "1 of 1,797 images in color"
    assert np.abs(read_color(page, 999) - 255 * class_colors("auto", 1000)[999]).max() < 40
    page.keyboard.press("v")
    assert get_state(page, "selection") == [999]
    page.evaluate("explorer.select([3, 4, 5])")
    table = pd.read_csv(io.StringIO(page.evaluate("explorer.csv()")), keep_default_na=False)
    assert table.label.tolist() == classes[3:6]


def test_no_name_covers_another_and_more_are_seen_from_near(open_data, digits):
    classes = [f"the class {number}" for number in range(100)]
    coordinates = digits.maps[["pixel_x", "pixel_y"]]
    search = NearestNeighbors(n_neighbors=1).fit(coordinates[:100])
    labels = search.kneighbors(coordinates, return_distance=False)[:, 0]
    maps = digits.maps.assign(label=labels, prediction=labels)
    page = open_data(replace(digits, maps=maps).make_data("Named", "auto", classes))
    names = read_names(page)
    assert 10 < len(names) < 100
    for (x, y, width, _), (left, top, wide, _) in combinations(names.values(), 2):
        assert abs(x + width / 2 - left - wide / 2) > (width + wide) / 2 - 1 or abs(y - top) > 10
    page.keyboard.press("+")
    page.keyboard.press("+")
    page.wait_for_timeout(500)
    assert len(read_names(page).keys() - names) > 5


def test_without_labels_there_are_no_classes(open_data, digits):
    maps = digits.maps.drop(columns=["label", "prediction", "confidence"])
    page = open_data(replace(digits, maps=maps).make_data("Unknown", "auto", []))
    expect(page.locator("#classes")).to_be_hidden()
    assert page.locator("#status").text_content() == "1,797 images"
    page.evaluate("explorer.pin(1700)")
    assert page.locator("#facts > *").all_text_contents() == ["Test", "no. 103"]
    assert read_titles(page) == [f"no. {neighbor}" for neighbor in digits.neighbors["pixel"][1700]]
    assert page.locator("#neighbors p").count() == 0
    page.evaluate("explorer.select([7])")
    assert page.evaluate("explorer.csv()") == "id,split\n7,train\n"
    page.evaluate("(explorer.pin(-1), explorer.select([]))")
    assert np.abs(read_color(page, 7) - 255 * class_colors("auto", 0)[0]).max() < 40


@pytest.mark.parametrize("column", ["file", "name"])
def test_card_and_export_have_the_name_of_an_image(open_data, digits, column):
    names = [f"class {number % 10}/{'a long folder/' * 9}{number:08}.jpg" for number in range(COUNT)]
    names[7] = 'é, "7".png'
    page = open_data(replace(digits, maps=digits.maps.assign(**{column: names})).make_data())
    page.evaluate("explorer.pin(1700)")
    assert page.locator("#name").text_content() == page.locator("#name").get_attribute("title") == names[1700]
    heights = {page.locator("#card").bounding_box()["height"]}
    for image in (7, -1):
        page.evaluate(f"explorer.pin({image})")
        heights.add(page.locator("#card").bounding_box()["height"])
    assert len(heights) == 1 and page.locator("#name").is_hidden(), "what is below the card must not jump"
    page.evaluate("explorer.select([7, 1700])")
    table = pd.read_csv(io.StringIO(page.evaluate("explorer.csv()")))
    assert list(table.columns) == ["id", "split", column, "label", "prediction"]
    assert table[column].tolist() == [names[7], names[1700]] and table.id.tolist() == [7, 103]


def test_vectors_have_names_and_numbers_but_no_pictures(open_data, digits):
    maps = digits.maps[:TRAIN].drop(columns=["prediction", "confidence"])
    neighbors = {layer: rows[:TRAIN] for layer, rows in digits.neighbors.items()}
    rows = replace(digits, maps=maps, neighbors=neighbors)
    page = open_data(make_page_data("Vectors", "auto", DIGITS, maps, [], rows.embeddings))
    assert page.locator("#status").text_content() == "1,500 rows, all in color"
    assert not re.search("image|training", page.locator("body").inner_text())
    page.keyboard.press("h")  # No rows are held out.
    expect(page.locator("#show")).to_be_hidden()
    row = find_lonely_image(digits, "pixel", np.arange(TRAIN))
    point_at(page, locate_images(page, replace(digits, maps=maps), "pixel")[row])
    found = get_state(page, "hovered")
    facts = ["Label", str(maps.label[found]), "Row", f"no. {found}"]
    assert page.locator("#facts > *").all_text_contents() == facts
    titles = [f"{maps.label[neighbor]}, no. {neighbor}" for neighbor in neighbors["pixel"][found]]
    assert page.locator("#neighbors button").all_text_contents() == titles
    for canvas in ("#tip", "#image"):
        expect(page.locator(canvas)).to_be_hidden()
