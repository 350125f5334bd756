"""The figure of the filters."""

import numpy as np
import pytest
from plot_filters import arrange_filters, plot_filters, scale_filters


def test_filters_stand_in_a_square_grid():
    filters = np.arange(5 * 5 * 1 * 20, dtype=np.float32).reshape(5, 5, 1, 20)
    grid = arrange_filters(filters)
    assert grid.shape == (23, 29)
    assert np.array_equal(grid[6:11, 12:17], filters[:, :, 0, 7])
    assert grid.mask[5].all() and grid.mask[:, 5].all() and not grid.mask[:5, :5].any()


@pytest.mark.parametrize(("n", "shape"), [(1, (3, 2)), (2, (3, 5)), (4, (7, 5)), (5, (7, 8)), (7, (11, 8))])
def test_grid_has_no_empty_rows(n, shape):
    assert arrange_filters(np.ones((3, 2, 1, n))).shape == shape
    assert arrange_filters(np.ones((3, 2, 3, n))).shape == (*shape, 3)


def test_filters_of_one_channel_are_red_white_and_blue():
    filters = np.zeros((2, 2, 1, 1))
    filters[0, 0], filters[1, 1] = -2, 1
    figure = plot_filters(filters, 4)
    axes, bar = figure.axes
    cells = axes.collections[0]
    red, _, blue = cells.to_rgba(np.array([2, 0, -2]))[:, :3]
    assert cells.get_clim() == (-2, 2) and bar.get_ylabel() == "weight"
    assert red[0] > 0.3 > red[2] and blue[2] > 0.3 > blue[0]
    assert np.allclose(cells.to_rgba(0)[:3], 0.97, atol=0.01), "zero is white"
    assert axes.yaxis_inverted() and not axes.axison
    assert figure.get_figwidth() == 4 and figure.get_figheight() == pytest.approx(0.8 * 4)


def test_filters_of_color_images_are_colored():
    filters = np.random.default_rng(0).normal(size=(7, 7, 3, 5)).astype(np.float32)
    filters[..., 4] = 0
    figure = plot_filters(filters, 4)
    assert len(figure.axes) == 1, "no color bar"
    assert figure.get_figheight() == pytest.approx(4 * 15 / 23)
    shown = figure.axes[0].collections[0].get_array().reshape(15, 23, 3)  # a grid of three columns
    first, last = shown[:7, :7], shown[8:, 8:15]
    assert np.abs(first - 0.5).max() == pytest.approx(0.5)
    assert np.allclose((first - 0.5) * 2 * np.abs(filters[..., 0]).max(), filters[..., 0], atol=1e-6)
    assert (last == 0.5).all() and (shown[7] == 1).all()


def test_each_filter_has_its_own_range_of_colors():
    filters = np.zeros((1, 2, 3, 2))
    filters[0, 0, 0] = [1, 100]
    filters[0, 1, 2] = [-0.5, -50]
    assert np.allclose(scale_filters(filters)[0, :, :, 0], [[1, 0.5, 0.5], [0.5, 0.5, 0.25]])
    assert np.allclose(scale_filters(filters)[..., 0], scale_filters(filters)[..., 1])


def test_filters_of_many_channels_are_averaged():
    filters = np.random.default_rng(0).normal(size=(3, 3, 8, 4)).astype(np.float32)
    axes, bar = plot_filters(filters, 4).axes
    assert np.allclose(axes.collections[0].get_array().reshape(7, 7)[:3, :3], filters[..., 0].mean(axis=2), atol=1e-6)
    assert bar.get_ylabel() == "mean weight of the channels"
