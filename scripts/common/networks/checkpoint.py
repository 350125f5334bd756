"""Checkpoints of a training, from which an interrupted one is resumed."""

import hashlib
import json
import logging
import secrets
import shutil
from pathlib import Path

import numpy as np

from common.errors import UserError, report_corrupt_file
from common.files import atomic_write, save_json
from common.networks.keras_setup import keras

log = logging.getLogger("workflow")


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

    def load(self, *work: object) -> tuple[keras.Model, list[dict[str, float]]] | None:
        """Return the network and its history if the checkpoint is undamaged and of the same `work`, else None.

        `work` is everything that the training depends on.
        """
        digest = hashlib.sha256()
        for part in work:
            digest.update(np.ascontiguousarray(part).data if isinstance(part, np.ndarray) else repr(part).encode())
        self.work = digest.hexdigest()
        path = self.folder / "history.json"
        if not path.exists():
            return None
        try:
            with report_corrupt_file(path):
                saved = json.loads(path.read_text())
                if saved["work"] != self.work:
                    return None
                history = saved["history"]
                return keras.models.load_model(self.folder / f"{len(history)}.keras"), history
        except UserError:
            log.info("the checkpoint in %s is damaged: training starts again", self.folder)
            return None

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

    def delete(self) -> None:
        """Delete the folder. Raises UserError if another process owns it by now."""
        self.check_owner()
        shutil.rmtree(self.folder)
