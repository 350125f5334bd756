"""The figures of the layers over the epochs of training."""

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from plot_epochs import choose_columns, name_epoch
from plot_learning import plot_learning

from common.figures.style import PAGE_STYLE

HISTORY = pd.DataFrame({"epoch": [1, 2, 3, 4], "val_accuracy": [0.8, 0.9, 0.95, 0.99]})


def scores(accuracy: float, fuzziness: float | None = None) -> dict:
    """Return the scores of the validation images."""
    found = {"knn_accuracy_features": {"mean": accuracy, "low": accuracy - 0.01, "high": accuracy + 0.005}}
    found |= {} if fuzziness is None else {"separation_fuzziness": {"mean": fuzziness, "low": None, "high": None}}
    return {"train": found, "validation": found, "test": {}}


LAYERS = {
    "pixel": scores(0.9),
    "conv1": scores(0.96, 2) | {"before_training": scores(0.92, 8), "epochs": {"2": scores(0.95, 4)}},
    "dense3": scores(0.98, 1) | {"before_training": scores(0.85, 6), "epochs": {"2": scores(0.97, 3)}},
}


def draw(layers, history=HISTORY, **options):
    with matplotlib.rc_context(PAGE_STYLE):
        figure = plot_learning({"layers": layers}, history, **options)
        FigureCanvasAgg(figure).draw()
    return figure


def read_curves(axes) -> list[tuple[list[float], list[float]]]:
    """Return the epochs and values of the layers' curves."""
    curves = [container.lines[0].get_data() for container in axes.containers]
    return [([round(x**2, 1) for x in xs], [round(y, 6) for y in ys]) for xs, ys in curves]


def test_each_layer_has_a_curve_from_before_training_to_the_last_epoch():
    knn, fuzziness, *empty = draw(LAYERS).axes
    assert [axes.get_title() for axes in (knn, fuzziness)] == ["kNN error,\nfeatures (%)", "separation\nfuzziness"]
    assert not any(axes.axison for axes in empty)
    (epochs, first), (_, second) = read_curves(knn)
    assert np.allclose(epochs, [0, 2, 4], atol=0.2) and first == [8, 5, 4] and second == [15, 3, 2]
    assert [values for _, values in read_curves(fuzziness)] == [[8, 4, 2], [6, 3, 1]]
    assert [label.get_text() for label in knn.get_xticklabels()] == ["0", "2", "4"]
    bars = knn.containers[0].lines[2][0].get_segments()
    assert np.allclose([bar[:, 1] for bar in bars], [[7.5, 9], [4.5, 6], [3.5, 5]])


def test_pixels_are_a_line_across_and_the_network_is_beside_errors_only():
    knn, fuzziness, *_ = draw(LAYERS).axes
    lines = {line.get_linestyle(): line.get_ydata() for line in knn.lines}
    assert np.allclose(lines["--"], 10) and np.allclose(lines[":"], [20, 10, 5, 1])
    assert ":" not in {line.get_linestyle() for line in fuzziness.lines}
    (legend,) = draw(LAYERS, noun="row").legends
    assert [text.get_text() for text in legend.texts] == [*LAYERS, "error of the network, validation"]
    assert legend.get_title().get_text() == "Scores of validation rows, with 95 % intervals"


def test_without_validation_images_scores_are_of_others_and_the_network_is_left_out():
    layers = {
        name: entry | {"validation": {}, "before_training": scores(0.8) | {"validation": {}}}
        for name, entry in LAYERS.items()
        if name != "pixel"
    }
    figure = draw(layers, HISTORY.assign(val_accuracy=np.nan))
    assert figure.legends[0].get_title().get_text().startswith("Scores of training images")
    assert [text.get_text() for text in figure.legends[0].texts] == ["conv1", "dense3"]


@pytest.mark.parametrize(("count", "columns"), [(1, 1), (4, 4), (5, 3), (6, 3), (7, 4), (9, 3)])
def test_panels_of_epochs_fill_their_rows(count, columns):
    assert choose_columns(count) == columns


def test_epochs_are_named():
    assert [name_epoch(epoch) for epoch in (0, 1, 12)] == ["before training", "epoch 1", "epoch 12"]
