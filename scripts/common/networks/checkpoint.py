"""Checkpoints of a training, from which an interrupted one is resumed."""

import hashlib
import json
import logging
import secrets
import shutil
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from common.errors import UserError, report_corrupt_file
from common.files import atomic_write, save_json
from common.networks.keras_setup import keras

log = logging.getLogger("workflow")

State = tuple[keras.Model, list[dict[str, float]]]  # a network and its history


def checkpoint_folder(network: Path) -> Path:
    """Return the folder of the checkpoint of a training whose network will be in the file `network`."""
    return network.with_name(f".checkpoint-{network.stem}")


def list_kept(network: Path, epochs: Iterable[int]) -> dict[int, Path]:
    """Return by epoch the folders in which the states of a network after some epochs are kept."""
    return {epoch: checkpoint_folder(network.with_stem(f"{network.stem}-epoch{epoch}")) for epoch in epochs}


def load_checkpoint(folder: Path, work: str) -> State | None:
    """Return the network and its history in a folder if they are undamaged and of this work, a digest, else None."""
    path = folder / "history.json"
    if not path.exists():
        return None
    try:
        with report_corrupt_file(path):
            saved = json.loads(path.read_text())
            if saved["work"] != work:
                return None
            history = saved["history"]
            return keras.models.load_model(folder / f"{len(history)}.keras"), history
    except UserError:
        log.info("the checkpoint in %s is damaged and not used", folder)
        return None


class Checkpoint:
    """The state of a training after its last finished epoch, in a folder, from which the same work is resumed.

    The last process that opens the folder owns it. An earlier process that still runs, because only its Snakemake was
    killed, ends at its next epoch.
    """

    def __init__(self, folder: Path) -> None:
        """Open the checkpoint in `folder` as its new owner."""
        self.folder = folder
        self.owner = secrets.token_hex(4)
        folder.mkdir(exist_ok=True)
        (folder / "owner").write_text(self.owner)

    def check_owner(self) -> None:
        """Raise UserError if another process has opened the checkpoint since."""
        owner = self.folder / "owner"
        if not owner.exists() or owner.read_text() != self.owner:
            raise UserError(f"{self.folder}: another run has taken over this training. Wait for that run.")

    def load(self, *work: object) -> State | None:
        """Return the network and its history if the checkpoint is undamaged and of the same `work`, else None.

        `work` is everything that the training depends on.
        """
        digest = hashlib.sha256()
        for part in work:
            digest.update(np.ascontiguousarray(part).data if isinstance(part, np.ndarray) else repr(part).encode())
        self.work = digest.hexdigest()
        return load_checkpoint(self.folder, self.work)

    def save(self, network: keras.Model, history: list[dict[str, float]]) -> None:
        """Save the network, then the history, which makes it valid, and delete the previous network.

        Raises UserError if another process owns the checkpoint by now.
        """
        self.check_owner()
        path = self.folder / f"{len(history)}.keras"
        with atomic_write(path) as part:
            network.save(part)
        save_json(self.folder / "history.json", {"work": self.work, "history": history}, indent=None)
        for other in set(self.folder.glob("*.keras")) - {path}:
            other.unlink()

    def copy(self, folder: Path) -> None:
        """Copy the state to another folder, for load_checkpoint."""
        folder.mkdir(exist_ok=True)
        history = json.loads((self.folder / "history.json").read_text())
        name = f"{len(history['history'])}.keras"
        with atomic_write(folder / name) as part:
            shutil.copyfile(self.folder / name, part)
        save_json(folder / "history.json", history, indent=None)
        for other in set(folder.glob("*.keras")) - {folder / name}:
            other.unlink()

    def delete(self) -> None:
        """Delete the folder. Raises UserError if another process owns it by now."""
        self.check_owner()
        shutil.rmtree(self.folder)
