"""What can go wrong on a machine, made to: nothing is lost, nothing wrong accepted, one line says what to do."""

import os
import resource
import shutil
import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest

from helpers import Workflow, only_error

RESULTS = "results/Digits"


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:1000])


def replace(path: Path) -> None:
    path.write_text("not what it was")


def shorten(path: Path) -> None:
    np.save(path, np.load(path)[:-7])


@pytest.mark.parametrize(
    ("path", "damage", "target"),
    [
        ("data/train_images.npy", truncate, "features/pixel.npy"),
        ("data/train_labels.npy", shorten, "network/network.keras"),
        ("network/network.keras", replace, "features/conv2.npy"),
        ("network/network.keras", truncate, "network/conv1_filters.npy"),
        ("features/dense3.npy", truncate, "neighbors/dense3.npz"),
        ("neighbors/dense3.npz", truncate, "maps/dense3.npy"),
        ("network/conv1_filters.npy", replace, "../figures/Digits_conv1_filters.eps"),
        ("maps/pixel.npy", replace, "../figures/Digits_tSNE_pixel.eps"),
        ("maps/pixel.npy", shorten, "../figures/Digits_tSNE_pixel.eps"),
        ("data/train_labels.npy", shorten, "../figures/Digits_tSNE_pixel_embed.eps"),
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


@pytest.mark.parametrize(
    "target",
    [
        "data/train_images.npy",
        "network/history.csv",
        "features/conv1.npy",
        "features/pixel.npy",
        "neighbors/conv1.npz",
        "maps/conv1.npy",
        "network/conv1_filters.npy",
    ],
)
def test_job_killed_as_it_ends_leaves_nothing_and_a_rerun_is_as_if_undisturbed(workflow, target):
    path, files = workflow.folder / RESULTS / target, workflow.folder / "scripts/common/files.py"
    before, text = path.read_bytes(), files.read_text()
    path.unlink()
    killed = text.replace("        part.replace(path)\n", "        os.kill(os.getpid(), 9)\n")
    assert killed != text
    files.write_text(killed)
    result = workflow.run("--rerun-triggers", "input", "--", f"{RESULTS}/{target}")
    assert result.returncode != 0 and not path.exists()
    files.write_text(text)
    result = workflow.run("--", f"{RESULTS}/{target}")
    assert result.returncode == 0, result.stderr
    if path.suffix != ".npz":  # which has the time in it
        assert path.read_bytes() == before
    assert not list((workflow.folder / RESULTS).rglob(".part-*"))


def test_second_snakemake_at_once_is_refused(workflow):
    script = workflow.folder / "scripts/plot_scatter.py"
    start = 'if __name__ == "__main__":\n'
    script.write_text(script.read_text().replace(start, f"{start}    import time\n    time.sleep(20)\n"))
    figure = "results/figures/Digits_tSNE_pixel.eps"
    with open(workflow.folder / "first.log", "w") as log:
        first = subprocess.Popen(workflow.command("--", figure), cwd=workflow.folder, stderr=log, stdout=log)
    try:
        while "Execute 1 jobs" not in (workflow.folder / "first.log").read_text():
            assert first.poll() is None
        second = workflow.run("--", figure)
    finally:
        first.send_signal(signal.SIGINT)
        first.wait()
    assert second.returncode != 0 and "Directory cannot be locked" in second.stderr


def test_folder_that_cannot_be_written_is_named(workflow: Workflow):
    shutil.rmtree(workflow.folder / "results/figures")
    (workflow.folder / "results/figures").write_text("a file where a folder should be")
    result = workflow.run("--", "results/figures/Digits_tSNE_pixel.eps")
    assert result.returncode != 0
    assert "results/figures" in "\n".join(result.stderr.splitlines()[-10:])
