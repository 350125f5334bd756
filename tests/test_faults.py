"""What can go wrong on a machine, made to: nothing is lost, nothing wrong accepted, one line says what to do."""

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from common.errors import UserError
from common.files import atomic_write
from helpers import Workflow, only_error, system_program

RESULTS = "results/Small"


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:1000])


def replace(path: Path) -> None:
    path.write_text("not what it was")


def shorten(path: Path) -> None:
    np.save(path, np.load(path)[:-7])


def fewer_neighbors(path: Path) -> None:
    neighbors = dict(np.load(path))
    np.savez(path, **{name: neighbors[name][:-7] for name in ("indices", "distances")})


def shorten_table(path: Path) -> None:
    pd.read_csv(path)[:-7].to_csv(path, index=False)


@pytest.mark.parametrize(
    ("path", "damage", "target"),
    [
        ("data/train_images.npy", truncate, "features/pixel.npy"),
        ("data/train_labels.npy", shorten, "network/network.keras"),
        ("network/network.keras", replace, "features/conv2.npy"),
        ("network/network.keras", truncate, "network/conv1_filters.npy"),
        ("features/dense3.npy", truncate, "neighbors/dense3.npz"),
        ("neighbors/dense3.npz", truncate, "maps/dense3.npy"),
        ("network/conv1_filters.npy", replace, "../figures/Small_conv1_filters.eps"),
        ("maps/pixel.npy", replace, "../figures/Small_tSNE_pixel.eps"),
        ("maps/pixel.npy", shorten, "../figures/Small_tSNE_pixel.eps"),
        ("data/train_labels.npy", shorten, "../figures/Small_tSNE_pixel_embed.eps"),
        ("neighbors/dense3_test.npz", fewer_neighbors, "maps/dense3_test.npy"),
        ("scores/conv1.json", truncate, "layers.csv"),
        ("network/predictions.csv", shorten_table, "maps.csv"),
        ("network/history.csv", replace, "../figures/Small_training.eps"),
    ],
)
def test_damaged_file_is_named_by_the_rule_that_reads_it(workflow, path, damage, target):
    target = os.path.normpath(f"{RESULTS}/{target}")
    damage(workflow.folder / RESULTS / path)
    (workflow.folder / target).unlink()
    error = only_error(workflow.run("--rerun-triggers", "input", "--", target))
    assert f"{RESULTS}/{path}" in error and "snakemake --cores all --force " in error
    assert not (workflow.folder / target).exists()

    command = error.split("make anew: snakemake --cores all ")[1].split()
    anew = workflow.run(command[0], "--rerun-triggers", "input", "--", *command[1:])
    assert anew.returncode == 0, anew.stderr
    assert workflow.run("--", target).returncode == 0, "what it says to do, helps"


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
    assert error == f"{RESULTS}/{target} could not be written (File too large); make room there and run again"
    assert not list(path.parent.glob("*conv1*")) and not list(path.parent.glob(".part-*"))
    assert workflow.run("--", f"{RESULTS}/{target}").returncode == 0
    assert path.read_bytes() == before


STAGES = (  # the last first, so that what a job needs is there when it is killed
    "results/figures/Small_tSNE_conv1.eps",
    "results/Small/scores/conv1.json",
    "results/Small/maps/conv1_test.npy",
    "results/Small/maps/conv1.npy",
    "results/Small/neighbors/conv1.npz",
    "results/Small/features/conv1.npy",
    "results/Small/network/predictions.csv",
    "results/Small/network/history.csv",
    "results/Small/data/train_images.npy",
)


def test_job_killed_as_it_ends_leaves_nothing_and_a_rerun_is_as_if_undisturbed(workflow):
    files = workflow.folder / "scripts/common/files.py"
    before, text = {target: (workflow.folder / target).read_bytes() for target in STAGES}, files.read_text()
    killed = text.replace("        part.replace(path)\n", "        os.kill(os.getpid(), 9)\n")
    assert killed != text
    files.write_text(killed)
    for target in STAGES:
        (workflow.folder / target).unlink()
        result = workflow.run("--rerun-triggers", "input", "--", target)
        assert result.returncode != 0 and not (workflow.folder / target).exists(), target
        assert "A job was killed" in "\n".join(result.stderr.splitlines()[-10:]), result.stderr
    files.write_text(text)
    result = workflow.run("--", *STAGES)
    assert result.returncode == 0, result.stderr
    for target in STAGES:
        if not target.endswith("npz"):  # which has the time in it
            assert (workflow.folder / target).read_bytes() == before[target], target
    assert not list((workflow.folder / "results").rglob(".part-*"))


def test_snakemake_killed_in_each_stage_and_started_again_ends_as_if_undisturbed(fresh, finished, tmp_path):
    workflow = fresh.copy(tmp_path / "workflow")
    target = "results/figures/Small_tSNE_conv2.eps"
    rules = "prepare_dataset train_network extract_features find_neighbors embed_tsne plot_scatter"
    for rule in rules.split():
        log = workflow.folder / f"{rule}.log"
        with open(log, "w") as stream:
            process = subprocess.Popen(
                workflow.command("--", target), cwd=workflow.folder, stdout=stream, stderr=stream
            )
        while not re.search(rf"rule {rule}:", log.read_text()):
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
        process.kill()  # what it has started lives on, and may come to its end
        process.wait()
        locked = workflow.run("--", target)
        assert locked.returncode != 0 and "--unlock" in "\n".join(locked.stderr.splitlines()[-10:])
        assert workflow.run("--unlock").returncode == 0
    result = workflow.run("--", target)
    assert result.returncode == 0, result.stderr
    ours, theirs = (pd.read_csv(run.folder / RESULTS / "network/history.csv") for run in (workflow, finished))
    pd.testing.assert_frame_equal(ours, theirs, rtol=0.05)  # training was resumed, which changes the last digits
    ours, theirs = (json.loads((run.folder / RESULTS / "maps/conv2.json").read_text()) for run in (workflow, finished))
    assert ours["kl_divergence"] == pytest.approx(theirs["kl_divergence"], abs=0.02)
    assert not list((workflow.folder / "results").rglob(".part-*"))


def test_job_without_enough_memory_says_so(workflow):
    script = workflow.folder / "scripts/find_neighbors.py"
    limit = """    import resource

    used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 4 * 2**20,) * 2)  # not enough for the 20 MB of conv1
"""
    text = script.read_text()
    script.write_text(text.replace('if __name__ == "__main__":\n', 'if __name__ == "__main__":\n' + limit))
    target = f"{RESULTS}/neighbors/conv1.npz"
    (workflow.folder / target).unlink()
    error = only_error(workflow.run("--rerun-triggers", "input", "--", target))
    assert "MemoryError" in error and "more memory" in error
    assert not (workflow.folder / target).exists()


@pytest.fixture
def mounted():
    """Mount a file system in memory at a folder, with so many kB, or read-only: mounted(folder, "size=100k")."""
    system_program("mount", "mount")
    if os.geteuid() != 0:
        pytest.skip("only root can mount a file system that is full")
    folders = []

    def mount(folder: Path, options: str) -> None:
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True)
        folders.append(folder)

    yield mount
    for folder in folders:
        subprocess.run(["umount", folder], check=True)


LANDMARKS = {"tsne": {"landmarks": 400}}
VECTORS = {"datasets": {"Vectors": {"vectors": {"dense3": f"{RESULTS}/features/dense3.npy"}}}}


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
        ("embed_tsne", f"{RESULTS}/maps/conv1.npy", "4k", {}),
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
    (folder / "of another").touch()  # or Snakemake would try to remove the folder
    result = workflow.run("--rerun-triggers", "input", "--cores", "1", "--", target)
    assert (
        only_error(result) == f"{target} could not be written (No space left on device); make room there and run again"
    )
    assert f"rule {rule}:" in result.stderr
    assert not (workflow.folder / target).exists() and not list(folder.glob(".part-*"))


def test_read_only_disk_is_named_with_the_file(workflow, mounted):
    target = "results/figures/Small_tSNE_conv1.eps"
    mounted((workflow.folder / target).parent, "ro")
    result = workflow.run("--rerun-triggers", "input", "--", target)
    assert result.returncode != 0
    assert f"Read-only file system: '{target}'" in "\n".join(result.stderr.splitlines()[-10:])
    # and where the disk became so after Snakemake had a look at it
    line = f"{target} could not be written .*; allow writing there and run again"
    with pytest.raises(UserError, match=line), atomic_write(workflow.folder / target) as part:
        part.touch()


def test_second_snakemake_at_once_is_refused(workflow):
    script = workflow.folder / "scripts/plot_scatter.py"
    start = 'if __name__ == "__main__":\n'
    script.write_text(script.read_text().replace(start, f"{start}    import time\n    time.sleep(20)\n"))
    figure = "results/figures/Small_tSNE_pixel.eps"
    with open(workflow.folder / "first.log", "w") as log:
        command = workflow.command("--", figure)
        first = subprocess.Popen(command, cwd=workflow.folder, stderr=log, stdout=log, start_new_session=True)
    try:
        while "Execute 1 jobs" not in (workflow.folder / "first.log").read_text():
            assert first.poll() is None
        second = workflow.run("--", figure)
    finally:
        os.killpg(first.pid, signal.SIGKILL)  # with its job
        first.wait()
    assert second.returncode != 0 and "Directory cannot be locked" in second.stderr


def test_folder_that_cannot_be_written_is_named(workflow: Workflow):
    shutil.rmtree(workflow.folder / "results/figures")
    (workflow.folder / "results/figures").write_text("a file where a folder should be")
    result = workflow.run("--", "results/figures/Small_tSNE_pixel.eps")
    assert result.returncode != 0
    assert "results/figures" in "\n".join(result.stderr.splitlines()[-10:])
