"""The network of the notebook, its batches, its features, and the rows it is trained on."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from extract_features import extract_features, model_of_features
from train_network import Checkpoint, batches, build_network, train_network

from common.errors import UserError
from common.networks.keras_setup import keras, tf


@pytest.fixture(scope="module")
def network():
    return build_network((28, 28, 1), classes=10, filters=[20, 40], kernel=5, units=[200])


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


def test_network_with_other_numbers_of_layers_has_them_numbered_on():
    network = build_network((16, 20, 3), 7, filters=[3, 4, 5], kernel=3, units=[6, 7])
    shapes = {name: network.get_layer(name).output.shape[1:] for name in ("conv3", "dense4", "dense5", "softmax")}
    assert shapes == {"conv3": (2, 2, 5), "dense4": (6,), "dense5": (7,), "softmax": (7,)}
    assert network.get_layer("conv3_filters").kernel.shape == (3, 3, 4, 5)
    with pytest.raises(
        UserError, match=r"network\.filters: 5 convolutions.* 32 x 32 pixels or more; these have 16 x 20"
    ):
        build_network((16, 20, 3), 7, filters=[1] * 5, kernel=3, units=[])


def test_batches_are_whole_and_in_the_order_given():
    labels = tf.range(100)
    order = np.random.default_rng(0).permutation(100)
    rows = [batch.numpy().tolist() for _, batch in batches(labels, labels, 32, order)]
    assert rows == [order[:32].tolist(), order[32:64].tolist(), order[64:96].tolist()]
    with pytest.raises(UserError, match=r"network\.schedule: 100 .* 101"):
        batches(labels, labels, 101, order)


def test_no_epoch_waits_for_the_autotuning_of_its_batches():
    images, labels, order = tf.zeros((10, 2, 2, 1)), tf.zeros(10), np.arange(10)
    assert batches(images, labels, 5, order).options().autotune.enabled is False


SCHEDULE = [{"epochs": 2, "batch_size": 64}, {"epochs": 2, "batch_size": 100}]


def train(parts, folder: Path, schedule=SCHEDULE, seed: int = 7) -> tuple[keras.Model, pd.DataFrame]:
    """Train a small network on some of the small data set."""
    images, labels, *_ = parts.values()
    images = (images[:600, ::4, ::4, None] / 256).astype(np.float32)
    train, validation = (images[:400], labels[:400]), (images[400:], labels[400:600])
    keras.utils.set_random_seed(seed)
    network = keras.Sequential(
        [
            keras.Input((7, 7, 1), name="pixel"),
            keras.layers.Flatten(name="flat"),
            keras.layers.BatchNormalization(name="norm"),
            keras.layers.Dense(10, activation="softmax", name="softmax"),
        ],
        name="small",
    )
    return train_network(network, train, validation, 0.01, schedule, seed, Checkpoint(folder))


@pytest.mark.parametrize("epoch", [1, 2, 3])
def test_interrupted_training_is_resumed_and_ends_as_it_would_have(parts, tmp_path, monkeypatch, caplog, epoch):
    caplog.set_level("INFO")
    network, history = train(parts, tmp_path / "undisturbed")
    assert list(history.epoch) == [1, 2, 3, 4] and list(history.batch_size) == [64, 64, 100, 100]

    save = Checkpoint.save

    def interrupt(self, network, history):
        save(self, network, history)
        if len(history) == epoch:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Checkpoint, "save", interrupt)
        train(parts, tmp_path / "interrupted")
    caplog.clear()
    resumed, resumed_history = train(parts, tmp_path / "interrupted")
    assert caplog.messages[0] == f"resumed after epoch {epoch}"
    assert len([message for message in caplog.messages if message.startswith("epoch")]) == 4 - epoch
    pd.testing.assert_frame_equal(resumed_history, history, rtol=1e-5)
    for ours, theirs in zip(resumed.get_weights(), network.get_weights(), strict=True):
        assert np.allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize("name", ["4.keras", "history.json"])
def test_damaged_checkpoint_is_not_used(parts, tmp_path, caplog, name):
    caplog.set_level("INFO")
    _, history = train(parts, tmp_path)
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:100])
    caplog.clear()
    _, again = train(parts, tmp_path)
    assert caplog.messages[0] == f"what an earlier run has left in {tmp_path} is damaged: from the start"
    pd.testing.assert_frame_equal(again, history, rtol=1e-5)


def test_training_that_is_taken_over_ends_and_spoils_nothing(parts, tmp_path, monkeypatch):
    undisturbed, _ = train(parts, tmp_path / "undisturbed")
    save, both = Checkpoint.save, {}

    def take_over(self, network, history):
        save(self, network, history)
        if len(history) == 2 and not both:
            both["second"] = None
            both["second"] = train(parts, tmp_path / "both")[0]

    monkeypatch.setattr(Checkpoint, "save", take_over)
    with pytest.raises(UserError, match="another run has taken this training over"):
        train(parts, tmp_path / "both")
    for ours, theirs in zip(both["second"].get_weights(), undisturbed.get_weights(), strict=True):
        assert np.allclose(ours, theirs, atol=1e-5)
    assert {path.name for path in (tmp_path / "both").iterdir()} == {"owner", "4.keras", "history.json"}


def test_checkpoint_is_deleted_by_its_owner_only(tmp_path):
    first, second = Checkpoint(tmp_path / "work"), Checkpoint(tmp_path / "work")
    with pytest.raises(UserError, match="another run"):
        first.delete()
    second.delete()
    assert not (tmp_path / "work").exists()
    with pytest.raises(UserError, match="another run"):
        second.delete()


@pytest.mark.parametrize("other", [{"seed": 8}, {"schedule": [{"epochs": 3, "batch_size": 64}]}])
def test_training_is_not_resumed_from_other_work(parts, tmp_path, caplog, other):
    caplog.set_level("INFO")
    train(parts, tmp_path)
    train(parts, tmp_path, **other)
    assert not [message for message in caplog.messages if message.startswith("resumed")]


def test_features_are_the_layers_output_of_every_row_the_last_short_batch_included(network, tmp_path):
    images = np.random.default_rng(0).uniform(size=(1003, 28, 28, 1)).astype(np.float32)
    extract_features(model_of_features(network, "conv2", None), images, tmp_path / "features.npy")
    features = np.load(tmp_path / "features.npy")
    rows = [0, 999, 1000, 1002]
    expected = keras.Model(network.input, network.get_layer("conv2").output)(images[rows], training=False)
    assert features.shape == (1003, 1960)
    assert np.allclose(features[rows], np.reshape(expected, (4, 1960)), atol=1e-5)
