"""The figure of the scores before and after training."""

import matplotlib
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from plot_scores import OFFSET, PANELS, plot_scores

from common.figures.style import GRID_COLOR, PAGE_STYLE, SPACE_COLORS
from common.names import SPLITS

TITLES = PANELS["features"] | PANELS["map"]
ROWS = {"train": 50_000, "validation": 10_000, "test": 9_000}
LAYERS = ("pixel", "conv1", "dense")


def interval(mean: float) -> dict:
    return {"mean": mean, "low": mean - 0.05, "high": mean + 0.04}


def make_summary(layers=LAYERS, controls=("conv1", "dense"), splits=SPLITS, network: float | None = 0.95) -> dict:
    """Return a summary in which scores are 0.5 for the pixels, 0.6 before and 0.8 after training."""
    entries = {}
    for layer in layers:
        after = {score: interval(0.5 if layer == "pixel" else 0.8) for score in TITLES}
        entries[layer] = {split: dict(after) if split in splits else {} for split in SPLITS}
        if layer in controls:
            before = {score: interval(0.6) for score in TITLES}
            entries[layer]["before_training"] = {split: dict(before) for split in splits}
    accuracy = {} if network is None else {"network_accuracy": interval(network)}
    return {"network": dict.fromkeys(SPLITS, accuracy), "layers": entries}


def draw(summary: dict, **options):
    """Return the drawn figure in the style of the workflow."""
    with matplotlib.rc_context(PAGE_STYLE):
        figure = plot_scores(summary, ROWS, **options)
        FigureCanvasAgg(figure).draw()
    return figure


def find_panels(figure) -> dict:
    """Return the axes of a figure by score."""
    titles = {title: score for score, title in TITLES.items()}
    return {titles[axes.get_title()]: axes for axes in figure.axes}


def read_marks(axes) -> list[tuple[float, float, str]]:
    """Return the place, the mean and the face color of each mark, from left to right."""
    marks = [line for container in axes.containers for line in container.lines[:1]]
    found = [
        (*(float(line.get_data()[axis][0]) for axis in (0, 1)), to_hex(line.get_markerfacecolor())) for line in marks
    ]
    return sorted(found)


def test_each_score_has_a_panel_in_the_color_of_its_space():
    panels = find_panels(draw(make_summary()))
    assert list(panels) == list(TITLES)
    for score, space in {"intrinsic_dimension": "features", "silhouette_map": "map"}.items():
        assert read_marks(panels[score])[-1][2] == SPACE_COLORS[space]


def test_hollow_marks_before_and_filled_marks_after_training_are_joined_by_arrows():
    axes = find_panels(draw(make_summary()))["silhouette_map"]
    filled, hollow = SPACE_COLORS["map"], "#ffffff"
    expected = [(0, 0.5, filled), (1 - OFFSET, 0.6, hollow), (1 + OFFSET, 0.8, filled)]
    expected += [(2 - OFFSET, 0.6, hollow), (2 + OFFSET, 0.8, filled)]
    assert read_marks(axes) == [(pytest.approx(place), pytest.approx(mean), face) for place, mean, face in expected]
    arrows = [text for text in axes.texts if text.arrow_patch]
    assert [(*text.xyann, *text.xy) for text in arrows] == [
        pytest.approx((number - OFFSET, 0.6, number + OFFSET, 0.8)) for number in (1, 2)
    ]


def test_bars_are_the_intervals_and_accuracies_become_errors():
    panels = find_panels(draw(make_summary()))
    for score, ends in {
        "silhouette_map": (0.75, 0.84),
        "linear_probe_accuracy": (16, 25),
        "knn_preservation_10": (75, 84),
    }.items():
        bars = panels[score].containers[-1].lines[2][0].get_segments()[0]
        assert sorted(bars[:, 1]) == pytest.approx(ends), score


def test_pixels_are_a_line_across_with_their_interval():
    axes = find_panels(draw(make_summary()))["silhouette_map"]
    lines = [line for line in axes.lines if line.get_linestyle() == "--"]
    assert [line.get_ydata()[0] for line in lines] == [0.5]
    (band,) = [patch for patch in axes.patches if to_hex(patch.get_facecolor()) == GRID_COLOR]
    assert (band.get_y(), band.get_y() + band.get_height()) == pytest.approx((0.45, 0.54))


def test_network_is_a_dotted_line_in_the_panel_of_the_votes_alone():
    panels = find_panels(draw(make_summary(network=0.95)))
    dotted = {
        score: [line.get_ydata()[0] for line in axes.lines if line.get_linestyle() == ":"]
        for score, axes in panels.items()
    }
    assert dotted.pop("knn_accuracy_features") == [pytest.approx(5)] and not any(dotted.values())


def test_last_split_is_drawn_and_named():
    for splits, images in ((SPLITS, "9,000 test"), (SPLITS[:2], "10,000 validation"), (SPLITS[:1], "50,000 training")):
        legend = draw(make_summary(splits=splits)).legends[0]
        assert legend.get_title().get_text() == f"Scores of {images} images"
        assert [text.get_text() for text in legend.get_texts()] == [
            *("before training", "after training", "95 % interval", "pixel, with interval", "error of the network"),
        ]


def test_without_a_control_there_are_filled_marks_in_the_middle_and_no_arrows():
    figure = draw(make_summary(layers=("a", "b"), controls=(), network=None), noun="row")
    axes = find_panels(figure)["continuity" if "continuity" in TITLES else "trustworthiness"]
    assert [place for place, _, _ in read_marks(axes)] == [0, 1] and not axes.texts
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["9,000 test rows", "95 % interval"]


def test_scores_that_no_layer_has_get_no_panel():
    summary = make_summary(network=None)
    for entry in summary["layers"].values():
        for values in (*(entry[split] for split in SPLITS), *entry.get("before_training", {}).values()):
            for score in [score for score in values if score != "trustworthiness"]:
                del values[score]
    assert list(find_panels(draw(summary))) == ["trustworthiness"]


def test_fuzziness_and_errors_have_a_logarithmic_axis():
    panels = find_panels(draw(make_summary()))
    scales = {score for score, axes in panels.items() if axes.get_yscale() == "log"}
    assert scales == {*(score for score in TITLES if "accuracy" in score), "separation_fuzziness"}


@pytest.mark.parametrize("layers", [LAYERS, [f"a_layer_{number}$" for number in range(12)]])
def test_texts_are_apart_and_on_the_page(layers, text_boxes, overlap):
    figure = draw(make_summary(layers, controls=layers[1:]))
    texts = [text for axes in figure.axes for text in (*axes.get_xticklabels(), axes.title)]
    boxes = text_boxes([*texts, *figure.legends[0].get_texts()])
    assert boxes.min() >= 0 and (boxes[:, 2] <= figure.bbox.width).all() and (boxes[:, 3] <= figure.bbox.height).all()
    assert not overlap(boxes)
