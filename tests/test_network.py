"""The network of the notebook, its batches, its features, and the rows it is trained on."""

import numpy as np
import pytest
from extract_features import extract_features
from prepare_dataset import stratified_rows
from train_network import batches, build_network

from common.backend import keras
from common.jobs import UserError


@pytest.fixture(scope="module")
def network():
    return build_network((28, 28, 1), classes=10)


def test_network_is_the_notebooks(network):
    shapes = {name: network.get_layer(name).output.shape[1:] for name in ("conv1", "conv2", "dense3", "softmax")}
    assert shapes == {"conv1": (14, 14, 20), "conv2": (7, 7, 40), "dense3": (200,), "softmax": (10,)}
    kinds = [type(layer).__name__ for layer in network.layers]
    convolution = ["Conv2D", "BatchNormalization", "ReLU", "MaxPooling2D"]
    dense = ["Flatten", "Dense", "BatchNormalization", "ReLU", "Dense"]
    assert kinds == ["InputLayer", *convolution, *convolution, *dense]
    for name, bias in (("conv1_filters", 0.05), ("conv2_filters", 0.05), ("dense3_weights", 0)):
        layer = network.get_layer(name)
        assert layer.activation is keras.activations.linear and np.allclose(layer.bias, bias)
    for name in ("conv1_norm", "conv2_norm", "dense3_norm"):
        assert (network.get_layer(name).momentum, network.get_layer(name).epsilon) == (0.9, 1e-4)


def test_batches_are_whole_and_shuffled_anew_each_epoch():
    labels = np.arange(100)
    dataset = batches(labels.astype(np.float32), labels, 32, seed=1)
    first, second = ([batch.numpy().tolist() for _, batch in dataset] for _ in range(2))
    for epoch in (first, second):
        rows = np.concatenate(epoch).tolist()
        assert [len(batch) for batch in epoch] == [32, 32, 32] and len(set(rows)) == 96
    assert first != second
    with pytest.raises(UserError, match=r"network\.schedule: 100 .* 101"):
        batches(labels, labels, 101, seed=1)


def test_features_are_the_layers_output_of_every_row_the_last_short_batch_included(network, tmp_path):
    images = np.random.default_rng(0).uniform(size=(1003, 28, 28, 1)).astype(np.float32)
    extract_features(network, "conv2", images, tmp_path / "features.npy")
    features = np.load(tmp_path / "features.npy")
    rows = [0, 999, 1000, 1002]
    expected = keras.Model(network.input, network.get_layer("conv2").output)(images[rows], training=False)
    assert features.shape == (1003, 1960)
    assert np.allclose(features[rows], np.reshape(expected, (4, 1960)), atol=1e-5)


def test_stratified_rows_keep_the_shares():
    labels = np.random.default_rng(0).permutation(np.repeat([0, 1, 2], [600, 300, 100]))
    rows = stratified_rows(labels, 100)
    assert np.bincount(labels[rows]).tolist() == [60, 30, 10] and (np.diff(rows) > 0).all()
    assert len(stratified_rows(labels, 1000)) == 1000
    with pytest.raises(UserError, match=r"dataset\.train_size"):
        stratified_rows(labels, 2)
