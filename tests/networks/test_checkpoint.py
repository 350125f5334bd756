"""Checkpoints: what is saved, whose it is, and when it is not used."""

import numpy as np
import pytest

from common.errors import UserError
from common.networks.checkpoint import Checkpoint, checkpoint_folder, list_kept, load_checkpoint
from common.networks.keras_setup import keras

HISTORY = [{"epoch": 1, "loss": 2.5}, {"epoch": 2, "loss": 1.25}]
WORK = ("layers", 0.001, np.arange(6).reshape(2, 3), np.ones(2))
TAKEN = r"work: another run has taken over this training\. Wait for that run\.$"


@pytest.fixture
def network() -> keras.Model:
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])


@pytest.fixture
def folder(tmp_path, network):
    """The folder of a checkpoint with two epochs."""
    checkpoint = Checkpoint(tmp_path / "work")
    assert checkpoint.load(*WORK) is None
    checkpoint.save(network, HISTORY[:1])
    checkpoint.save(network, HISTORY)
    return tmp_path / "work"


def test_last_epoch_is_loaded_again(folder, network):
    assert {path.name for path in folder.iterdir()} == {"owner", "history.json", "2.keras"}
    loaded, history = Checkpoint(folder).load(*WORK)
    assert history == HISTORY
    assert all(map(np.array_equal, loaded.get_weights(), network.get_weights()))


@pytest.mark.parametrize(
    "work",
    [
        ("other layers", *WORK[1:]),
        (WORK[0], 0.002, *WORK[2:]),
        (*WORK[:2], np.arange(6).reshape(2, 3) + np.eye(2, 3, dtype=int), WORK[3]),
        WORK[:3],
    ],
)
def test_checkpoint_of_other_work_is_not_loaded(folder, work, logged):
    assert Checkpoint(folder).load(*work) is None and not logged()


def test_array_is_recognized_in_any_memory_layout(folder):
    assert Checkpoint(folder).load(*WORK[:2], np.asfortranarray(WORK[2]), WORK[3])


@pytest.mark.parametrize("name", ["2.keras", "history.json"])
@pytest.mark.parametrize("damage", ["cut", "deleted", "empty"])
def test_damaged_checkpoint_is_not_used(folder, logged, name, damage):
    content = (folder / name).read_bytes()
    (folder / name).unlink()
    if damage != "deleted":
        (folder / name).write_bytes(content[:50] if damage == "cut" else b"")
    assert Checkpoint(folder).load(*WORK) is None
    if (name, damage) == ("history.json", "deleted"):
        assert logged() == [], "as if nothing had been saved"
    else:
        assert logged() == [f"the checkpoint in {folder} is damaged and not used"]


def test_checkpoint_belongs_to_the_last_process_that_opens_it(folder, network):
    first, second = Checkpoint(folder), Checkpoint(folder)
    first.load(*WORK)
    second.load(*WORK)
    for act in (first.check_owner, first.delete, lambda: first.save(network, HISTORY[:1])):
        with pytest.raises(UserError, match=TAKEN):
            act()
    assert (folder / "2.keras").exists() and not (folder / "1.keras").exists()
    second.save(network, HISTORY[:1])
    second.delete()
    assert not folder.exists()
    with pytest.raises(UserError, match=TAKEN):
        second.delete()


def test_state_is_copied_and_replaces_that_of_another_epoch(tmp_path, network):
    checkpoint, kept = Checkpoint(tmp_path / "work"), tmp_path / "kept"
    checkpoint.load(*WORK)
    for history in (HISTORY[:1], HISTORY):
        checkpoint.save(network, history)
        checkpoint.copy(kept)
        loaded, found = load_checkpoint(kept, checkpoint.work)
        assert found == history and len(list(kept.iterdir())) == 2
        assert all(map(np.array_equal, loaded.get_weights(), network.get_weights()))
    assert load_checkpoint(kept, "other") is None


def test_kept_states_lie_where_the_training_of_their_network_has_its_own(tmp_path):
    (folder,) = list_kept(tmp_path / "network-training5.keras", [2]).values()
    assert folder == checkpoint_folder(tmp_path / "network-training5-epoch2.keras")
