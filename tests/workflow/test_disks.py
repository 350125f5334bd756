"""Disks that are full or read-only: the file is named, and nothing is left half written."""

import os
import resource
import shutil
import subprocess
from pathlib import Path

import pytest

from common.errors import UserError
from common.files import atomic_write
from helpers import Workflow, only_error, system_program

pytestmark = pytest.mark.slow

RESULTS = "results/Small"
LANDMARKS = {"tsne": {"landmarks": 400}}
VECTORS = {"datasets": {"Vectors": {"vectors": {"dense3": f"{RESULTS}/features/dense3.npy"}}}}


@pytest.fixture
def mounted():
    """Return a function that mounts a file system in memory at a folder: mounted(folder, "size=100k")."""
    system_program("mount", "mount")
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    folders = []

    def mount(folder: Path, options: str) -> None:
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True)
        folders.append(folder)

    yield mount
    for folder in folders:
        subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize("target", ["features/conv1.npy", "neighbors/conv1.npz"])
def test_file_that_does_not_fit_is_not_left_half_written(workflow, target):
    path = workflow.folder / RESULTS / target
    before = path.read_bytes()
    path.unlink()
    limit = len(before) - 1000
    command = workflow.command("--", f"{RESULTS}/{target}")
    result = subprocess.run(
        command,
        cwd=workflow.folder,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    error = only_error(result)
    assert error == f"{RESULTS}/{target} cannot be written (File too large). Free space there and run again."
    of_layer = {file.name for file in path.parent.glob("*conv1*") if "-epoch0" not in file.name}
    assert not of_layer and not list(path.parent.glob(".part-*"))
    assert workflow.run("--", f"{RESULTS}/{target}").returncode == 0
    assert path.read_bytes() == before


@pytest.mark.parametrize(  # each rule that writes large arrays; and a map, and both kinds of figures
    ("rule", "target", "size", "changes"),
    [
        ("prepare_dataset", f"{RESULTS}/data/train_images.npy", "1M", {}),
        ("flatten_images", f"{RESULTS}/features/pixel.npy", "1M", {}),
        ("extract_features", f"{RESULTS}/features/conv1.npy", "1M", {}),
        ("prepare_vectors", "results/Vectors/features/dense3.npy", "500k", VECTORS),
        ("find_neighbors", f"{RESULTS}/neighbors/conv1.npz", "100k", {}),
        ("choose_landmarks", f"{RESULTS}/landmarks/conv1/features.npy", "1M", LANDMARKS),
        ("find_landmark_neighbors", f"{RESULTS}/landmarks/dense3/neighbors.npz", "400k", LANDMARKS),
        ("find_nearest_landmarks", f"{RESULTS}/landmarks/dense3/neighbors-1-of-2.npz", "400k", LANDMARKS),
        ("gather_neighbors", f"{RESULTS}/neighbors/dense3.npz", "100k", LANDMARKS),
        ("embed_tsne", f"{RESULTS}/maps/pixel.npy", "4k", {}),
        ("plot_scatter", "results/figures/Small_tSNE_conv1.eps", "20k", {}),
        ("plot_thumbnails", "results/figures/Small_tSNE_conv1_embed.png", "20k", {}),
    ],
)
def test_full_disk_is_named_with_the_file(workflow, mounted, rule, target, size, changes):
    workflow.configure(**changes)
    workflow.scatter(2)
    folder = (workflow.folder / target).parent
    folder.mkdir(parents=True, exist_ok=True)
    mounted(folder, f"size={size}")
    (folder / "other").touch()  # so that Snakemake does not remove the folder
    result = workflow.run("--rerun-triggers", "input", "--cores", "1", "--", target)
    message = f"{target} cannot be written (No space left on device). Free space there and run again."
    assert only_error(result) == message
    assert f"rule {rule}:" in result.stderr
    assert not (workflow.folder / target).exists() and not list(folder.glob(".part-*"))


def test_read_only_disk_is_named_with_the_file(workflow, mounted):
    target = "results/figures/Small_tSNE_conv1.eps"
    mounted((workflow.folder / target).parent, "ro")
    result = workflow.run("--rerun-triggers", "input", "--", target)
    assert result.returncode != 0
    assert f"Read-only file system: '{target}'" in "\n".join(result.stderr.splitlines()[-10:])
    # and if it becomes read-only after Snakemake has looked at it
    line = f"{target} cannot be written .*Allow writing there and run again"
    with pytest.raises(UserError, match=line), atomic_write(workflow.folder / target) as part:
        part.touch()


def test_folder_that_cannot_be_written_is_named(workflow: Workflow):
    shutil.rmtree(workflow.folder / "results/figures")
    (workflow.folder / "results/figures").write_text("a file where a folder should be")
    result = workflow.run("--", "results/figures/Small_tSNE_pixel.eps")
    assert result.returncode != 0
    assert "results/figures" in "\n".join(result.stderr.splitlines()[-10:])
