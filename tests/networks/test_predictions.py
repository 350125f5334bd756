"""The predicted classes of images."""

import numpy as np
import pytest
from predict_labels import compute_outputs, empty_predictions, tabulate_predictions

from common.errors import UserError
from common.networks.keras_setup import keras
from common.networks.outputs import ends_linear, explain_mismatch, explain_order, order_outputs, predict_classes

layers = keras.layers
COLUMNS = ["id", "label", "prediction", "confidence"]
TWELVE = [str(number) for number in range(12)]
FOLDER_ORDER = [0, 1, 10, 11, 2, 3, 4, 5, 6, 7, 8, 9]


def test_outputs_of_all_images_are_computed_in_their_order(deep, digits, monkeypatch):
    monkeypatch.setattr("common.networks.graph.MAX_BATCH_SIZE", 8)
    images = digits[0][:20]
    assert np.allclose(compute_outputs(deep, images), deep.predict_on_batch(images), atol=1e-6)
    assert compute_outputs(deep, images[:0]).shape == (0, 10)


def test_table_has_a_row_for_each_image():
    table = tabulate_predictions(np.array([3, 1]), np.array([3, 2]), np.array([0.9, 0.5]))
    assert list(table) == COLUMNS and table.to_numpy().tolist() == [[0, 3, 3, 0.9], [1, 1, 2, 0.5]]
    nothing = np.zeros(0, np.int64)
    table = tabulate_predictions(nothing, *predict_classes(np.zeros((0, 10), np.float32), linear=False)[:2])
    assert len(table) == 0 and list(table) == COLUMNS


def test_network_of_other_classes_predicts_nothing(digits):
    labels = digits[1][:20]
    table = empty_predictions(labels, known=True)
    assert list(table) == COLUMNS and list(table.id) == list(range(20)) and list(table.label) == list(labels)
    assert table[["prediction", "confidence"]].isna().all(axis=None)
    assert empty_predictions(labels, known=False).label.isna().all()


def build_end(*end: keras.layers.Layer) -> keras.Model:
    return keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten(), *end])


def test_other_number_of_outputs_than_classes_is_named(deep):
    assert explain_mismatch(deep, 10) == ""
    assert explain_mismatch(deep, 7) == "its output is 10, and there are 7 classes"
    assert explain_mismatch(build_end(layers.Dense(1)), 2) == ""
    assert explain_mismatch(build_end(layers.Dense(1)), 1) == ""
    assert explain_mismatch(build_end(layers.Dense(1)), 3) == "its output is 1, and there are 3 classes"
    assert explain_mismatch(keras.Model(deep.inputs, [deep.output, deep.output]), 10) == "it has 2 outputs"


def test_last_layer_says_whether_outputs_are_logits(deep):
    assert not ends_linear(deep) and not ends_linear(build_end(layers.Dense(2, "sigmoid")))
    assert ends_linear(build_end(layers.Dense(2))) and not ends_linear(build_end(layers.Dense(2), layers.Softmax()))
    inner = keras.Sequential([keras.Input((64,)), layers.Dense(2)])
    assert ends_linear(build_end(inner)) and not ends_linear(build_end(inner, layers.Activation("sigmoid")))


def test_prediction_is_the_largest_output_and_confidence_its_probability():
    probabilities = np.array([[0.2, 0.7, 0.1], [0.5, 0.2, 0.3]], np.float32)
    predictions, confidence, kind = predict_classes(probabilities, linear=False)
    assert predictions.tolist() == [1, 0] and np.allclose(confidence, [0.7, 0.5]) and kind == "probabilities"
    logits = np.log(probabilities) + 3
    predictions, confidence, kind = predict_classes(logits, linear=False)
    assert predictions.tolist() == [1, 0] and np.allclose(confidence, [0.7, 0.5]) and kind == "logits"
    _, confidence, kind = predict_classes(probabilities, linear=True)
    assert kind == "logits" and confidence[0] == pytest.approx(np.exp(0.7) / np.exp([0.2, 0.7, 0.1]).sum())
    assert predict_classes(np.array([[1000.0, 0]], np.float32), linear=True)[1] == [1], "no overflow"
    assert predict_classes(probabilities * 1.005, linear=False)[2] == "probabilities", "float16 is that coarse"


def test_single_output_is_the_second_of_two_classes():
    probabilities = np.array([[0.2], [0.8], [0.5]], np.float32)
    predictions, confidence, kind = predict_classes(probabilities, linear=False)
    assert predictions.tolist() == [0, 1, 0] and np.allclose(confidence, [0.8, 0.8, 0.5])
    assert kind == "probabilities of the second class"
    predictions, confidence, kind = predict_classes(probabilities, linear=True)
    assert predictions.tolist() == [1, 1, 1] and kind == "logits of the second class"
    logits = np.log(probabilities / (1 - probabilities))
    predictions, confidence, kind = predict_classes(logits, linear=False)
    assert predictions.tolist() == [0, 1, 0] and np.allclose(confidence, [0.8, 0.8, 0.5])


def test_outputs_that_are_not_finite_are_refused():
    with pytest.raises(UserError, match="outputs are not finite"):
        predict_classes(np.array([[0.5, np.nan]]), linear=False)


def test_outputs_are_classes_in_the_stated_order():
    assert order_outputs(None, TWELVE, TWELVE).tolist() == list(range(12))
    assert order_outputs("folders", TWELVE, TWELVE).tolist() == FOLDER_ORDER
    names = [f"digit {name}" for name in "zyxwvutsrqpo"]
    assert order_outputs("folders", names, TWELVE).tolist() == FOLDER_ORDER, "the folders' names count"
    assert order_outputs(["b", "c", "a"], ["a", "b", "c"], ["a", "b", "c"]).tolist() == [1, 2, 0]


@pytest.mark.parametrize(("order", "wrong"), [(["a", "d", "c"], "b"), (["a", "b"], "c"), (["a", "a", "b", "c"], "a")])
def test_order_of_other_classes_is_refused(order, wrong):
    message = rf"^network\.class_order: it must list the 3 classes of the data set, each once\. Check {wrong}\.$"
    with pytest.raises(UserError, match=message):
        order_outputs(order, ["a", "b", "c"], ["a", "b", "c"])


def test_warning_names_the_order_that_fits_far_better():
    labels, folders = np.tile(np.arange(12), 10), np.array(FOLDER_ORDER)
    outputs = np.argsort(folders)[labels]  # of a perfect model, whose outputs are in the order of the folders
    warning = explain_order(outputs, labels, np.arange(12), TWELVE)
    assert warning.startswith("warning: 17% of the predictions for training images are right. 100% would be if")
    assert "were the classes 0, 1, 10, 11, 2 and so on" in warning
    assert warning.endswith("set network.class_order: folders.")
    assert explain_order(outputs, labels, folders, TWELVE) == ""
    assert explain_order(labels, labels, folders, TWELVE).endswith("set network.class_order: null.")
    assert explain_order(labels, labels, np.arange(12), TWELVE) == ""
    assert explain_order(labels[:0], labels[:0], np.arange(12), TWELVE) == ""


def test_output_for_a_single_class_is_that_class():
    predicted, confidence, kind = predict_classes(np.ones((3, 1), np.float32), linear=False, classes=1)
    assert predicted.tolist() == [0, 0, 0] and confidence.tolist() == [1, 1, 1] and kind == "probabilities"
