"""Maps side by side: another one beside the main map, or all; what is pointed at, pinned or selected is so in all."""

from dataclasses import replace

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from explorer.browser import get_state, pin_at, point_at, read_pressed, switch_layer
from explorer.page_input import COUNT, LAYERS, TRAIN, PageInput, embed_earlier

pytestmark = pytest.mark.chromium

NAMES = [*LAYERS, *(f"{layer}{after}" for layer in LAYERS[1:] for after in (" before training", ", epoch 1"))]


@pytest.fixture(scope="module")
def trained(digits) -> PageInput:
    return replace(digits, earlier=embed_earlier(digits))


@pytest.fixture
def compared(open_data, trained) -> Page:
    """A page with conv1, and conv1 before training beside it."""
    page = open_data(trained.make_data())
    switch_layer(page, "2")
    choose(page, "two")
    return page


def choose(page: Page, count: str) -> None:
    """Choose how many maps are shown, and wait until they are."""
    page.locator(f"#views button[value={count}]").click()
    expect(page.locator("#beside figure")).to_have_count({"one": 0, "two": 1, "all": 7}[count])
    page.wait_for_timeout(500)


def locate_in(page: Page, image: int, selector: str) -> np.ndarray:
    """Return where the ring around the pinned or hovered image is, in the window."""
    box = page.locator(selector).bounding_box()
    return np.array([box["x"] + box["width"] / 2, box["y"] + box["height"] / 2])


def count_colors(page: Page, selector: str) -> int:
    """Return the number of colors that a canvas has, without the most frequent one."""
    return page.locator(selector).first.evaluate(
        """canvas => new Promise((resolve) => requestAnimationFrame(() => {
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            resolve(new Set(new Uint32Array(data.buffer)).size - 1);
        }))"""
    )


def test_map_beside_is_that_before_training_and_can_be_chosen(compared):
    assert read_pressed(compared, "#views button") == [False, True, False]
    other = compared.locator("#other")
    assert other.locator("option").all_text_contents() == NAMES
    assert other.locator("option:checked").text_content() == "conv1 before training"
    assert count_colors(compared, "#beside canvas.points") > 10, "it has points"
    boxes = [compared.locator(one).bounding_box() for one in ("#points", "#beside canvas.points")]
    assert boxes[0]["width"] == pytest.approx(boxes[1]["width"], abs=3)
    assert boxes[0]["x"] + boxes[0]["width"] <= boxes[1]["x"] + 1
    other.select_option("dense3")
    compared.wait_for_function("explorer.state.beside === 2")
    assert "beside=dense3" in compared.evaluate("location.hash")
    choose(compared, "one")
    assert "beside" not in compared.evaluate("location.hash")
    assert compared.errors == []


def test_image_that_is_pinned_in_one_map_is_pinned_in_the_other(compared, trained):
    compared.evaluate("explorer.pin(7)")
    here, beside = (locate_in(compared, 7, f"{one} .pin") for one in ("#marks", "#beside"))
    first, before = trained.embeddings[1].coordinates[7], trained.earlier[0].coordinates[7]
    assert not np.allclose(first, before)
    assert beside[0] > compared.locator("#beside").bounding_box()["x"] > here[0]
    compared.evaluate("explorer.pin(-1)")
    compared.wait_for_timeout(300)
    pin_at(compared, beside)
    pinned = get_state(compared, "pinned")
    assert pinned >= 0 and np.linalg.norm(locate_in(compared, pinned, "#beside .pin") - beside) < 12
    point_at(compared, beside)
    compared.wait_for_function("explorer.state.hovered >= 0")
    for marks in ("#marks", "#beside .marks"):
        expect(compared.locator(f"{marks} circle[r='6']")).to_be_visible()


def test_neighbors_of_a_pinned_image_in_both_maps_are_told_apart(compared, trained):
    pairs = zip(trained.embeddings[1].neighbors, trained.earlier[0].neighbors, strict=True)
    shared = [len(set(own.tolist()) & set(others.tolist())) for own, others in pairs]
    image, kept = shared.index(max(shared)), max(shared)
    assert 0 < kept < 10, "both kinds are there"
    compared.evaluate(f"explorer.pin({image})")
    assert compared.locator("#kept").text_content().startswith(f"{kept} in both maps")
    for marks in ("#marks", "#beside .marks"):
        lines = compared.locator(f"{marks} line")
        assert lines.evaluate_all("all => all.filter(one => one.style.display !== 'none').length") == 10
        assert compared.locator(f"{marks} line.other").count() == 10 - kept
    titles = compared.locator("#others button").evaluate_all("all => all.map(one => one.title.split('no. ')[1])")
    assert [int(title) for title in titles] == trained.earlier[0].neighbors[image].tolist()


def test_both_maps_show_the_same_part(compared):
    compared.locator("#points").hover(position={"x": 200, "y": 300})
    compared.mouse.wheel(0, -400)
    compared.wait_for_timeout(500)
    script = "explorer.views.map(({ plot }) => [...plot.get('cameraTarget').slice(0, 2), plot.get('cameraDistance')])"
    main, other = np.array(compared.evaluate(script))
    assert main[2] < 0.95 and np.abs(main - other).max() < 0.01


def test_selection_and_classes_are_in_both_maps(compared):
    compared.evaluate("explorer.select([3, 4, 5])")
    selected = "explorer.views.map(({ plot }) => plot.get('selectedPoints').length)"
    assert compared.evaluate(selected) == [3, 3]
    compared.locator("#classes button", has_text="3").click()
    colors = "explorer.views.map(({ drawnNumbers }) => new Set(drawnNumbers).size)"
    assert compared.evaluate(colors) == [2, 2]


def test_all_maps_are_small_multiples_and_one_leads_to_its_map(open_data, trained):
    page = open_data(trained.make_data())
    page.keyboard.press("s")
    page.keyboard.press("s")
    expect(page.locator("#beside figure")).to_have_count(7)
    assert page.locator("#beside button").all_text_contents() == NAMES
    page.locator("#beside button", has_text="dense3, epoch 1").click()
    page.wait_for_function("explorer.state.map === 6 && explorer.state.progress === 1")
    assert read_pressed(page, "#beside button") == [False] * 6 + [True]
    assert page.evaluate("location.hash") == "#layer=dense3&epoch=1&beside=all"
    assert page.errors == []
    page.keyboard.press("s")
    expect(page.locator("#beside")).to_be_hidden()


def test_address_brings_the_map_beside_back(open_page, tmp_path, trained):
    from explorer.page_input import write_page

    address = write_page(tmp_path, trained.make_data())
    page = open_page(f"{address}#layer=dense3&epoch=0&beside=dense3")
    assert get_state(page, "map") == 5 and get_state(page, "beside") == 2
    assert page.locator("#status").text_content() == f"{COUNT:,} images, all in color"
    page = open_page(f"{address}#layer=dense3&epoch=9&beside=conv2")
    assert page.locator("#status").text_content() == "Not on this page: epoch=9, beside=conv2"
    assert get_state(page, "map") == 2 and get_state(page, "beside") is None


def test_most_moved_images_are_pinned_one_after_the_other(compared, trained):
    from build_explorer import scale_map

    first, before = (scale_map(one.coordinates) for one in (trained.embeddings[1], trained.earlier[0]))
    order = np.argsort(-np.linalg.norm(first - before, axis=1))
    assert compared.locator("#moved").text_content() == "Most moved from conv1 before training"
    for image in order[:2]:
        compared.keyboard.press("m")
        assert get_state(compared, "pinned") == image


def test_on_a_phone_the_maps_lie_below_each_other(open_page, tmp_path, trained):
    from explorer.page_input import write_page

    address = write_page(tmp_path, trained.make_data())
    page = open_page(f"{address}#layer=conv1&beside=conv1:0", viewport={"width": 390, "height": 844}, has_touch=True)
    above, below = (page.locator(one).bounding_box() for one in ("#map", "#beside"))
    assert above["y"] + above["height"] <= below["y"] + 1 and below["width"] == pytest.approx(390, abs=2)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.keyboard.press("s")
    expect(page.locator("#beside figure")).to_have_count(7)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.errors == [] and TRAIN < COUNT
