"""Points in four corners, and what a drawn figure shows."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from PIL import Image

from helpers import system_program

COLORS = ["red", "lime", "blue", "black"]


@pytest.fixture
def corners() -> tuple[np.ndarray, np.ndarray]:
    """Four classes, one in each corner: 0 bottom left, 1 bottom right, 2 top left, 3 top right."""
    coordinates = np.array([[-10, -10], [10, -10], [-10, 10], [10, 10]], np.float32)
    return np.repeat(coordinates, 5, axis=0), np.repeat(np.arange(4), 5)


@pytest.fixture(scope="session")
def colors() -> list[str]:
    """The colors of the four classes."""
    return COLORS


def render_figure(figure, dpi: int) -> np.ndarray:
    """Return a figure's pixels, (height, width, 3) uint8."""
    figure.set_dpi(dpi)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[:, :, :3]


def find_quadrant_colors(pixels: np.ndarray) -> list[set[str]]:
    """Return which of COLORS are in a picture's quadrants: bottom left, bottom right, top left, top right."""
    half = len(pixels) // 2
    quadrants = pixels[half:, :half], pixels[half:, half:], pixels[:half, :half], pixels[:half, half:]
    return [
        {name for name in COLORS if (quadrant == np.multiply(255, to_rgb(name))).all(axis=-1).any()}
        for quadrant in quadrants
    ]


def locate_texts(texts: list) -> np.ndarray:
    """Return the boxes of texts in pixels, (n, 4): left, bottom, right, top."""
    return np.array([text.get_window_extent().extents for text in texts])


def has_overlap(boxes: np.ndarray) -> bool:
    """Return whether two of the boxes (n, 4) overlap by more than a rounding error."""
    low, high = boxes[:, :2] + 1e-3, boxes[:, 2:] - 1e-3
    both = ((low[:, None] < high) & (low < high[:, None])).all(axis=2)
    return bool(both[np.triu_indices(len(boxes), 1)].any())


def convert_eps(eps: Path, dpi: int, *options: str) -> np.ndarray:
    """Return the pixels of an EPS file, drawn by Ghostscript; fails if it prints a warning."""
    page = eps.with_suffix(".page.png")
    command = [system_program("gs", "ghostscript"), "-q", "-dSAFER", "-dBATCH", "-dNOPAUSE", "-dEPSCrop", f"-r{dpi}"]
    command += ["-sDEVICE=png16m", *options, "-o", page, eps]
    result = subprocess.run(command, capture_output=True, text=True)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    return np.asarray(Image.open(page).convert("RGB"))


@pytest.fixture(scope="session")
def render() -> Callable[..., np.ndarray]:
    return render_figure


@pytest.fixture(scope="session")
def quadrant_colors() -> Callable[..., list[set[str]]]:
    return find_quadrant_colors


@pytest.fixture(scope="session")
def text_boxes() -> Callable[..., np.ndarray]:
    return locate_texts


@pytest.fixture(scope="session")
def overlap() -> Callable[..., bool]:
    return has_overlap


@pytest.fixture(scope="session")
def rasterize() -> Callable[..., np.ndarray]:
    return convert_eps
