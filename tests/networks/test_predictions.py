"""The predicted classes of images."""

import numpy as np
from predict_labels import empty_predictions, predict_labels

COLUMNS = ["id", "label", "prediction", "confidence"]


def test_prediction_is_the_most_probable_class(deep, digits, monkeypatch):
    monkeypatch.setattr("common.networks.graph.MAX_BATCH_SIZE", 8)
    images, labels = digits[0][:20], digits[1][:20]
    table = predict_labels(deep, images, labels)
    probabilities = deep.predict_on_batch(images)
    assert list(table) == COLUMNS and list(table.id) == list(range(20)) and list(table.label) == list(labels)
    assert np.array_equal(table.prediction, probabilities.argmax(axis=1))
    assert np.allclose(table.confidence, probabilities.max(axis=1), atol=1e-6)


def test_without_images_the_table_is_empty(deep, digits):
    table = predict_labels(deep, digits[0][:0], digits[1][:0])
    assert len(table) == 0 and list(table) == COLUMNS


def test_network_of_other_classes_predicts_nothing(digits):
    labels = digits[1][:20]
    table = empty_predictions(labels, known=True)
    assert list(table) == COLUMNS and list(table.id) == list(range(20)) and list(table.label) == list(labels)
    assert table[["prediction", "confidence"]].isna().all(axis=None)
    assert empty_predictions(labels, known=False).label.isna().all()
