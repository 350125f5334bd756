"""The figure of the training."""

import matplotlib
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from plot_history import plot_history

from common.figures.style import PAGE_STYLE, SPLIT_COLORS


@pytest.fixture
def history() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "epoch": [1, 2, 3],
            "batch_size": [64, 64, 512],
            "loss": [0.5, 0.4, 0.3],
            "accuracy": [0.9, 0.92, 0.94],
            "val_loss": [0.6, 0.5, 0.45],
            "val_accuracy": [0.85, 0.87, 0.89],
        }
    )


def read_lines(axes) -> dict[str, list[float]]:
    """Return the values of the lines of a panel that have a name, by that name."""
    return {line.get_label(): line.get_ydata().tolist() for line in axes.lines if line.get_label() in SPLIT_COLORS}


def test_panels_have_loss_and_error_rate_of_both_splits(history):
    loss, error = plot_history(history).axes
    assert read_lines(loss) == {"training": [0.5, 0.4, 0.3], "validation": [0.6, 0.5, 0.45]}
    assert loss.get_ylabel() == "cross-entropy (nats)" and error.get_ylabel() == "wrong labels (%)"
    assert read_lines(error)["training"] == pytest.approx([10, 8, 6])
    assert read_lines(error)["validation"] == pytest.approx([15, 13, 11])
    for axes in (loss, error):
        colors = {line.get_label(): to_hex(line.get_color()) for line in axes.lines if line.get_label() in SPLIT_COLORS}
        assert colors == SPLIT_COLORS and axes.get_ylim()[0] == 0 and axes.get_xlim() == (0.5, 3.5)
        assert all(line.get_xdata().tolist() == [1, 2, 3] for line in axes.lines if line.get_marker() == "o")
    assert [text.get_text() for text in loss.get_legend().get_texts()] == list(SPLIT_COLORS)


def test_line_marks_where_the_batch_size_changes(history):
    for axes in plot_history(history).axes:
        assert [text.get_text() for text in axes.texts] == ["batches of 64", "batches of 512"]
        assert [text.xy for text in axes.texts] == [(0.55, 1.02), (2.55, 1.02)]
        assert [list(line.get_xdata()) for line in axes.lines if len(line.get_xdata()) == 2] == [[2.5, 2.5]]


def test_training_in_one_phase_has_no_line(history):
    for axes in plot_history(history.assign(batch_size=32)).axes:
        assert [text.get_text() for text in axes.texts] == ["batches of 32"] and len(axes.lines) == 2


def test_without_validation_images_there_is_no_line_of_them(history):
    for axes in plot_history(history.assign(val_loss=float("nan"), val_accuracy=float("nan"))).axes:
        assert list(read_lines(axes)) == ["training"]


def test_texts_do_not_overlap(history, text_boxes, overlap):
    with matplotlib.rc_context(PAGE_STYLE):
        figure = plot_history(history)
        FigureCanvasAgg(figure).draw()
    assert figure.get_figwidth() == 7
    boxes = text_boxes([*figure.axes[0].texts, *figure.axes[1].texts])
    assert not overlap(boxes) and boxes.min() >= 0 and boxes[:, 3].max() <= figure.bbox.y1
    assert all(tick == round(tick) for axes in figure.axes for tick in axes.get_xticks())
