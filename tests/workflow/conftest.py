"""Snakemake in any folder, and a folder of a user beside the workflow."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="session")
def snakemake() -> Callable[..., subprocess.CompletedProcess]:
    """A function that runs Snakemake in a folder, with arguments and environment variables."""

    def run(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=os.environ | variables)

    return run


@pytest.fixture
def user_folder(tmp_path) -> Path:
    """A folder with 90 images, and with mine.yaml, a configuration that names them."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    images = np.random.default_rng(0).integers(0, 256, (90, 8, 8)).astype(np.uint8)
    np.save(folder / "images.npy", images)
    (folder / "mine.yaml").write_text("datasets: {Mine: {npy: {images: images.npy}, layers: [pixel]}}\n")
    return folder
