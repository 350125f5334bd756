"""What a reader of the explorer does and sees: mouse, keys, pixels and marks."""

import io

import numpy as np
from PIL import Image
from playwright.sync_api import Page
from sklearn.neighbors import NearestNeighbors

from common.figures.maps import find_frame
from common.figures.palette import class_colors
from explorer.page_input import PageInput


def get_state(page: Page, name: str):
    """Return a part of the page's state."""
    return page.evaluate(f"explorer.state.{name}")


def locate_map(page: Page) -> np.ndarray:
    """Return the position of the map in the window, (x, y)."""
    box = page.locator("#points").bounding_box()
    return np.array([box["x"], box["y"]])


def locate_images(page: Page, digits: PageInput, layer: str) -> np.ndarray:
    """Return the expected positions of all images in the window, (n, 2), while the whole map of a layer is shown."""
    box = page.locator("#points").bounding_box()
    coordinates = digits.maps[[f"{layer}_x", f"{layer}_y"]].to_numpy()
    center, side = find_frame(coordinates)
    right, up = ((coordinates - center) / side * box["height"]).T
    return np.column_stack([box["x"] + box["width"] / 2 + right, box["y"] + box["height"] / 2 - up])


def find_lonely_image(digits: PageInput, layer: str, among: np.ndarray) -> int:
    """Return the image that is farthest from its nearest neighbor on the map, so that the mouse cannot miss it."""
    coordinates = digits.maps[[f"{layer}_x", f"{layer}_y"]].to_numpy()
    distances, _ = NearestNeighbors(n_neighbors=2).fit(coordinates).kneighbors(coordinates[among])
    return int(among[distances[:, 1].argmax()])


def point_at(page: Page, position: np.ndarray) -> None:
    """Move the mouse to a position in the window."""
    page.mouse.move(position[0] + 1, position[1])
    page.mouse.move(*position)


def pin_at(page: Page, position: np.ndarray) -> None:
    """Click at a position in an instant: on a busy machine, the library finds a click of real events too long."""
    page.mouse.move(*position)
    click = """([clientX, clientY]) => {
        const target = document.elementFromPoint(clientX, clientY);
        const position = { clientX, clientY, bubbles: true };
        target.dispatchEvent(new MouseEvent("mousedown", { ...position, buttons: 1 }));
        target.dispatchEvent(new MouseEvent("mouseup", position));
        target.dispatchEvent(new MouseEvent("click", position));
    }"""
    page.evaluate(click, [float(value) for value in position])


def drag_mouse(page: Page, start: tuple[int, int], end: tuple[int, int]) -> None:
    """Drag the mouse from one position to another."""
    page.mouse.move(*start)
    page.mouse.down()
    for share in (0.01, 0.3, 0.7, 1):
        page.mouse.move(*(a + share * (b - a) for a, b in zip(start, end, strict=True)))
        page.wait_for_timeout(50)  # The library reads the mouse at intervals.
    page.mouse.up()


def switch_layer(page: Page, key: str) -> None:
    """Choose a layer with a key, and wait until the points have arrived."""
    page.keyboard.press(key)
    page.wait_for_function("explorer.state.progress === 1")


def read_map(page: Page) -> np.ndarray:
    """Return the pixels of the map, (height, width, 3), without marks."""
    page.wait_for_timeout(200)  # This leaves time for the next frames.
    page.add_style_tag(content=".marks, .tiles, #tip, #tools, #status, #epochs { visibility: hidden }")
    picture = page.locator("#points").screenshot()
    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"), int)


def read_canvas(page: Page, selector: str) -> np.ndarray:
    """Return the pixels of an image's canvas, (height, width, 3), as they are before any style."""
    page.wait_for_function(f"document.querySelector('{selector}').width < 100")  # An empty canvas is 300 wide.
    script = """canvas => [canvas.height, canvas.width,
        ...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data]"""
    height, width, *values = page.locator(selector).first.evaluate(script)
    return np.reshape(values, (height, width, 4))[:, :, :3]


def find_colored(page: Page, digits: PageInput, images: np.ndarray) -> np.ndarray:
    """Return whether each image has its class's color in the map of the layer pixel, (n,) bool."""
    x, y = (locate_images(page, digits, "pixel")[images] - locate_map(page)).astype(int).T
    colors = 255 * class_colors("petroff10", 10)[digits.maps.label[images]]
    return np.abs(read_map(page)[y, x] - colors).max(axis=1) < 40


def count_pixels(page: Page, label: int) -> int:
    """Return the number of pixels of the map that have the color of a class."""
    color = 255 * class_colors("petroff10", 10)[label]
    return int((np.abs(read_map(page) - color).max(axis=2) < 30).sum())


def read_pressed(page: Page, selector: str) -> list[bool]:
    """Return which of some buttons are pressed."""
    return page.locator(selector).evaluate_all("all => all.map(one => one.ariaPressed === 'true')")


def read_titles(page: Page) -> list[str]:
    """Return the titles of the neighbors' buttons."""
    return page.locator("#neighbors button").evaluate_all("all => all.map(one => one.title)")
