"""The frame of an embedding, its points, and rings around some of them."""

import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure

from common.figures.maps import draw_map, draw_rings, find_frame


def test_frame_is_a_square_around_all_points_with_a_margin():
    center, side = find_frame(np.array([[1, 2], [11, 4], [3, 6]]))
    assert center.tolist() == [6, 4] and side == pytest.approx(10 * 1.06)


@pytest.mark.parametrize("n", [1, 3])
def test_points_in_one_place_have_a_frame(n):
    center, side = find_frame(np.full((n, 2), 7.0))
    assert center.tolist() == [7, 7] and side == pytest.approx(1.06)


def draw(coordinates: np.ndarray, labels: np.ndarray, colors: np.ndarray, size: float = 5, edge: str | None = None):
    """Return axes with a drawn embedding."""
    axes = Figure((size, size)).add_axes((0, 0, 1, 1))
    draw_map(axes, coordinates, labels, colors, size, edge)
    return axes


def test_axes_show_the_frame_without_ticks(corners):
    coordinates, labels = corners
    axes = draw(np.add(coordinates, [3, -5]), labels, np.eye(4, 3))
    assert axes.get_xlim() == pytest.approx((-7.6, 13.6)) and axes.get_ylim() == pytest.approx((-15.6, 5.6))
    assert not axes.axison and axes.get_aspect() == 1


def test_axes_show_another_frame_if_one_is_given(corners):
    """Held-out images stand in the frame of all images."""
    axes = Figure((5, 5)).add_axes((0, 0, 1, 1))
    draw_map(axes, *corners, np.eye(4, 3), 5, frame=(np.array([100, -50]), 40))
    assert axes.get_xlim() == (80, 120) and axes.get_ylim() == (-70, -30)


def test_each_point_is_drawn_once_in_the_color_of_its_label(corners):
    coordinates, labels = corners
    coordinates = coordinates + np.arange(20)[:, None] / 100
    colors = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]])
    points = {}
    for line in draw(coordinates, labels, colors).lines:
        points |= dict.fromkeys(zip(*line.get_data(), strict=True), to_hex(line.get_color()))
        assert line.get_marker() == "o" and line.get_markeredgewidth() == 0
    expected = {tuple(point): to_hex(colors[label]) for point, label in zip(coordinates, labels, strict=True)}
    assert points == expected
    assert sum(len(line.get_xdata()) for line in draw(coordinates, labels, colors).lines) == 20


@pytest.mark.parametrize(("n", "share"), [(10_000, 0.5), (40_000, 0.5)])
def test_points_side_by_side_would_cover_half_of_the_frame(n, share):
    generator = np.random.default_rng(0)
    (line, *_) = draw(generator.normal(size=(n, 2)), np.zeros(n, int), np.zeros((1, 3)), size=4).lines
    diameter = line.get_markersize() / 72  # inches
    assert n * np.pi / 4 * diameter**2 == pytest.approx(share * 4**2)


def test_few_points_have_a_hundredth_of_the_frame_as_diameter(corners):
    (line, *_) = draw(*corners, np.eye(4, 3), size=4).lines
    assert line.get_markersize() == pytest.approx(72 * 4 / 100)


def test_edge_has_its_color_and_an_eighth_of_the_diameter(corners):
    for line in draw(*corners, np.eye(4, 3), edge="red").lines:
        assert line.get_markeredgecolor() == "red"
        assert line.get_markeredgewidth() == pytest.approx(line.get_markersize() / 8)


@pytest.mark.parametrize(("classes", "turns"), [(1, 20), (5, 20), (6, 16), (30, 3), (60, 1), (300, 1)])
def test_classes_take_turns_but_the_file_has_few_objects(classes, turns, monkeypatch):
    """A class that is drawn at once would hide the others; an object for each point would make the file large."""
    monkeypatch.setattr("common.figures.maps.MAX_GROUPS", 100)
    labels = np.arange(30_000) % classes
    lines = draw(np.random.default_rng(0).normal(size=(30_000, 2)), labels, np.linspace(np.zeros(3), 1, classes)).lines
    grays = [line.get_color()[0] for line in lines]
    assert grays == sorted(set(grays)) * turns and len(set(grays)) == classes


def test_order_of_the_points_is_random_but_always_the_same():
    points, labels = np.column_stack([np.arange(100.0)] * 2), np.zeros(100, int)
    first, second = (
        [line.get_xdata().tolist() for line in draw(points, labels, np.zeros((1, 3))).lines] for _ in range(2)
    )
    assert first == second and np.concatenate(first).tolist() != sorted(np.concatenate(first))


def test_ring_has_the_color_of_its_label_and_the_size_of_its_axes():
    axes = Figure((5, 5)).add_axes((0, 0, 1, 1))
    draw_rings(axes, np.array([[1, 2], [3, 4]]), np.array([1, 0]), ["red", "lime"], 2)
    assert [tuple(np.ravel(line.get_data())) for line in axes.lines] == [(1, 2), (3, 4)]
    assert [to_rgb(line.get_color()) for line in axes.lines] == [to_rgb("lime"), to_rgb("red")]
    for line in axes.lines:
        assert (line.get_markersize(), line.get_markeredgewidth()) == pytest.approx((1.2, 0.24))
        assert line.get_markeredgecolor() == "black" and line.get_marker() == "o"


def test_no_rings_are_drawn_for_no_errors():
    axes = Figure((5, 5)).add_axes((0, 0, 1, 1))
    draw_rings(axes, np.zeros((0, 2)), np.zeros(0, int), ["red"], 2)
    assert not axes.lines
