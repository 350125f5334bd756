"""Training: batches, history, and what an interrupted training resumes with."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from train_network import explain_decline

from common.errors import UserError
from common.networks.checkpoint import Checkpoint
from common.networks.keras_setup import keras, tf
from common.networks.training import draw_order, make_batches, shuffle, train_network

PHASES = [{"epochs": 2, "batch_size": 64}, {"epochs": 2, "batch_size": 100}]


def test_batches_are_full_and_in_the_given_order():
    images, labels = tf.range(100, 200), tf.range(100)
    order = np.random.default_rng(0).permutation(100)
    batches = [(images.numpy(), labels.numpy()) for images, labels in make_batches(images, labels, 32, order)]
    assert [labels.tolist() for _, labels in batches] == [order[start : start + 32].tolist() for start in (0, 32, 64)]
    assert all(np.array_equal(images, labels + 100) for images, labels in batches)
    assert len(list(make_batches(images, labels, 100, order))) == 1


def test_each_pass_of_an_epoch_has_all_images_in_another_order():
    once, twice = draw_order(50, 1, 7, 3), draw_order(50, 2, 7, 3)
    assert np.array_equal(once, np.random.default_rng([7, 3]).permutation(50)), "as it was with one pass"
    assert np.array_equal(twice[:50], once) and sorted(twice[50:]) == list(range(50))
    assert not np.array_equal(twice[50:], once)


def test_no_epoch_waits_for_the_autotuning_of_its_batches():
    images, labels, order = tf.zeros((10, 2, 2, 1)), tf.zeros(10), np.arange(10)
    assert make_batches(images, labels, 5, order).options().autotune.enabled is False


def train(
    digits: tuple[np.ndarray, np.ndarray],
    folder: Path,
    schedule: Sequence[Mapping[str, int]] = PHASES,
    seed: int = 7,
    learning_rate: float = 0.01,
    **options,
) -> tuple[keras.Model, pd.DataFrame]:
    """Train a small network on some of the digits."""
    images, labels = digits[0][:600], digits[1][:600]
    keras.utils.set_random_seed(seed)
    network = keras.Sequential(
        [
            keras.Input((8, 8, 1), name="pixel"),
            keras.layers.Flatten(name="flat"),
            keras.layers.BatchNormalization(name="norm"),
            keras.layers.Dense(10, activation="softmax", name="softmax"),
        ],
        name="small",
    )
    splits = (images[:400], labels[:400]), (images[400:], labels[400:])
    return train_network(network, *splits, learning_rate, schedule, seed, Checkpoint(folder), **options)


def interrupt_after(monkeypatch, epoch: int) -> None:
    """Let a training be interrupted once it has saved this epoch."""
    save = Checkpoint.save

    def save_and_interrupt(self, network, history):
        save(self, network, history)
        if len(history) == epoch:
            raise KeyboardInterrupt

    monkeypatch.setattr(Checkpoint, "save", save_and_interrupt)


def assert_same_weights(ours: keras.Model, theirs: keras.Model) -> None:
    for our_array, their_array in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        assert np.allclose(our_array, their_array, atol=1e-5)


def check_resumed_training(digits, tmp_path, monkeypatch, logged, schedule, epoch) -> None:
    """Interrupt a training after an epoch, resume it, and compare it with an undisturbed one."""
    epochs = sum(phase["epochs"] for phase in schedule)
    network, history = train(digits, tmp_path / "undisturbed", schedule)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        interrupt_after(patch, epoch)
        train(digits, tmp_path / "interrupted", schedule)
    before = len(logged())
    resumed, resumed_history = train(digits, tmp_path / "interrupted", schedule)
    first, *others = logged()[before:]
    assert first == f"resumed after epoch {epoch}"
    assert [message.split(":")[0] for message in others] == [f"epoch {n}" for n in range(epoch + 1, epochs + 1)]
    pd.testing.assert_frame_equal(resumed_history, history, rtol=1e-5)
    assert_same_weights(resumed, network)


@pytest.mark.usefixtures("eagerly")
def test_interrupted_training_ends_like_an_undisturbed_one(digits, tmp_path, monkeypatch, logged):
    schedule = [{"epochs": 1, "batch_size": 64}, {"epochs": 1, "batch_size": 100}]
    check_resumed_training(digits, tmp_path, monkeypatch, logged, schedule, epoch=1)


@pytest.mark.slow
@pytest.mark.parametrize("epoch", [1, 2, 3, 4])
def test_training_interrupted_in_any_epoch_ends_like_an_undisturbed_one(digits, tmp_path, monkeypatch, logged, epoch):
    check_resumed_training(digits, tmp_path, monkeypatch, logged, PHASES, epoch)


@pytest.mark.usefixtures("eagerly")
def test_history_has_the_measures_of_each_epoch(digits, tmp_path, logged):
    schedule = [{"epochs": 2, "batch_size": 1000, "min_batches": 5}, {"epochs": 1, "batch_size": 512}]
    network, history = train(digits, tmp_path / "work", schedule)
    assert list(history) == ["epoch", "batch_size", "passes", "loss", "accuracy", "val_loss", "val_accuracy"]
    assert list(history.epoch) == [1, 2, 3] and list(history.batch_size) == [80, 80, 400]
    assert list(history.passes) == [1, 1, 1]
    images, labels = digits[0][400:600], digits[1][400:600]
    outputs = network.predict_on_batch(images)
    last = history.iloc[-1]
    assert last.val_accuracy == pytest.approx((outputs.argmax(axis=1) == labels).mean(), abs=1e-6)
    assert last.val_loss == pytest.approx(-np.log(outputs[range(200), labels]).mean(), abs=1e-4)
    assert history.val_accuracy[2] > 0.2 and history.loss[1] < history.loss[0]
    row = history.iloc[0]
    assert logged()[0] == (
        f"epoch 1: loss {row.loss:.4f}, accuracy {row.accuracy:.4f}, val_loss {row.val_loss:.4f}, "
        f"val_accuracy {row.val_accuracy:.4f}"
    )


@pytest.mark.usefixtures("eagerly")
def test_order_of_the_images_differs_by_seed_and_epoch(digits, tmp_path, monkeypatch):
    orders = []

    def remember(images, labels, size, order):
        orders.append(order.tolist())
        return make_batches(images, labels, size, order)

    monkeypatch.setattr("common.networks.training.make_batches", remember)
    train(digits, tmp_path / "a", [{"epochs": 2, "batch_size": 400}], seed=7)
    train(digits, tmp_path / "b", [{"epochs": 1, "batch_size": 400}], seed=8)
    assert all(sorted(order) == list(range(400)) for order in orders)
    assert len({tuple(order) for order in orders}) == 3


@pytest.mark.usefixtures("eagerly")
def test_training_is_resumed_from_the_same_images_and_settings_only(digits, tmp_path, logged):
    settings = {"digits": digits, "schedule": [{"epochs": 1, "batch_size": 400}]}
    train(folder=tmp_path / "same", **settings)
    for name, other in {
        "seed": {"seed": 8},
        "schedule": {"schedule": [{"epochs": 1, "batch_size": 399}]},
        "rate": {"learning_rate": 0.02},
        "labels": {"digits": (digits[0], digits[1][::-1].copy())},
    }.items():
        shutil.copytree(tmp_path / "same", tmp_path / name)
        train(folder=tmp_path / name, **settings | other)
    assert len(logged()) == 5 and all(message.startswith("epoch 1:") for message in logged())
    train(folder=tmp_path / "same", **settings)
    assert logged()[5:] == ["resumed after epoch 1"]


def test_shuffled_labels_have_the_classes_of_the_true_ones_in_another_order(caplog):
    caplog.set_level("DEBUG", logger="workflow")
    labels = np.arange(1000) % 10
    shuffled = shuffle(labels, 7)
    assert sorted(shuffled) == sorted(labels) and np.array_equal(shuffled, shuffle(labels, 7))
    assert 0.05 < np.mean(shuffled == labels) < 0.15 and not np.array_equal(shuffled, shuffle(labels, 8))
    share, every = caplog.messages[:2]
    assert share == f"trained on shuffled labels: {100 * np.mean(shuffled == labels):.1f} % are right, by chance"
    assert every.endswith(" ".join(map(str, shuffled)))


@pytest.mark.usefixtures("eagerly")
def test_epoch_that_was_kept_is_not_trained_again(digits, tmp_path, logged):
    kept = {epoch: tmp_path / f"kept{epoch}" for epoch in (1, 2)}
    train(digits, tmp_path / "whole", kept=kept)
    undisturbed, history = train(digits, tmp_path / "two", PHASES, last=2)
    before = len(logged())
    network, found = train(digits, tmp_path / "again", last=2, earlier=list(kept.values()))
    assert logged()[before:] == ["resumed after epoch 2"]
    pd.testing.assert_frame_equal(found, history, rtol=1e-5)
    assert_same_weights(network, undisturbed)


@pytest.mark.usefixtures("eagerly")
def test_epoch_that_was_not_kept_is_trained_from_the_nearest_before_it(digits, tmp_path, logged):
    whole, _ = train(digits, tmp_path / "whole", kept={2: tmp_path / "kept2"})
    undisturbed, _ = train(digits, tmp_path / "three", last=3)
    before = len(logged())
    network, history = train(digits, tmp_path / "kept3", last=3, earlier=[tmp_path / "kept1", tmp_path / "kept2"])
    assert logged()[before : before + 2] == [
        "resumed after epoch 2",
        "epoch 3 was not kept: training 1 epoch again, of 4",
    ]
    assert len(history) == 3 and len(logged()) == before + 3
    assert_same_weights(network, undisturbed)
    assert any(not np.allclose(*pair) for pair in zip(network.get_weights(), whole.get_weights(), strict=True))


@pytest.mark.usefixtures("eagerly")
def test_epoch_whose_checkpoint_is_damaged_is_trained_again(digits, tmp_path, logged):
    kept = {epoch: tmp_path / f"kept{epoch}" for epoch in (1, 2)}
    train(digits, tmp_path / "whole", kept=kept)
    (kept[2] / "2.keras").write_bytes(b"damaged")
    before = len(logged())
    train(digits, tmp_path / "again", last=2, earlier=list(kept.values()))
    assert logged()[before : before + 3] == [
        f"the checkpoint in {kept[2]} is damaged and not used",
        "resumed after epoch 1",
        "epoch 2 was not kept: training 1 epoch again, of 4",
    ]


@pytest.mark.slow
def test_training_that_is_taken_over_ends_and_changes_nothing(digits, tmp_path, monkeypatch):
    undisturbed, _ = train(digits, tmp_path / "undisturbed")
    save, both = Checkpoint.save, {}

    def take_over(self, network, history):
        save(self, network, history)
        if len(history) == 2 and not both:
            both["second"] = None
            both["second"] = train(digits, tmp_path / "both")[0]

    monkeypatch.setattr(Checkpoint, "save", take_over)
    with pytest.raises(UserError, match="another run has taken over this training"):
        train(digits, tmp_path / "both")
    assert_same_weights(both["second"], undisturbed)
    assert {path.name for path in (tmp_path / "both").iterdir()} == {"owner", "4.keras", "history.json"}


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("rows", [1, 31])
def test_few_images_without_validation_images_are_learned_in_several_passes(digits, tmp_path, rows, monkeypatch):
    sizes = []

    def count(images, labels, size, order):
        sizes.append((size, len(order)))
        return make_batches(images, labels, size, order)

    monkeypatch.setattr("common.networks.training.make_batches", count)
    images, labels = digits[0][:rows], digits[1][:rows]
    network = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(10, activation="softmax")]
    )
    schedule = [{"epochs": 2, "batch_size": 512, "min_batches": 40}]
    nothing = (images[:0], labels[:0])
    network, history = train_network(network, (images, labels), nothing, 0.01, schedule, 0, Checkpoint(tmp_path / "c"))
    size, passes = {1: (1, 40), 31: (16, 21)}[rows]
    assert sizes == [(size, passes * rows)] * 2
    assert list(history.batch_size) == [size] * 2 and list(history.passes) == [passes] * 2
    assert history[["val_loss", "val_accuracy"]].isna().all(axis=None) and history.accuracy[1] > 0.9
    assert explain_decline(history, 0) == ""


def test_accuracy_that_ends_far_below_its_best_is_warned_of():
    history = pd.DataFrame({"epoch": [1, 2, 3], "val_accuracy": [0.5, 0.9, 0.8]})
    message = explain_decline(history, 100)
    assert message.startswith("warning: the validation accuracy is 0.800 after the last epoch, and was 0.900 after ep")
    assert "after epoch 2. Lower network.learning_rate, or" in message
    assert explain_decline(history, 49) == "", "fewer than five images"
    assert explain_decline(history.assign(val_accuracy=[0.5, 0.84, 0.8]), 1000) == ""
    assert explain_decline(history.assign(val_accuracy=[0.5, 0.8, 0.9]), 1000) == ""
