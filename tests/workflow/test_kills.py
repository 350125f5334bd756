"""Jobs and Snakemakes that are killed, run out of memory, or run twice at once."""

import json
import os
import re
import signal
import subprocess
import time

import pandas as pd
import pytest

from helpers import edit, only_error

pytestmark = pytest.mark.slow

RESULTS = "results/Small"
STAGES = (  # the last first, so that the input of a job exists when it is killed
    "results/figures/Small_tSNE_conv1.eps",
    "results/Small/scores/conv1.json",
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
    edit(files, "        part.replace(path)\n", "        os.kill(os.getpid(), 9)\n")
    for target in STAGES:
        (workflow.folder / target).unlink()
        result = workflow.run("--rerun-triggers", "input", "--", target)
        assert result.returncode != 0 and not (workflow.folder / target).exists(), target
        assert "A job was killed" in "\n".join(result.stderr.splitlines()[-10:]), result.stderr
    files.write_text(text)
    result = workflow.run("--", *STAGES)
    assert result.returncode == 0, result.stderr
    for target in STAGES:
        if not target.endswith("npz"):  # these contain the time
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
        process.kill()  # its jobs go on, and may finish
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
    edit(script, 'if __name__ == "__main__":\n', 'if __name__ == "__main__":\n' + limit)
    target = f"{RESULTS}/neighbors/conv1.npz"
    (workflow.folder / target).unlink()
    error = only_error(workflow.run("--rerun-triggers", "input", "--", target))
    assert "MemoryError" in error and "more memory" in error
    assert not (workflow.folder / target).exists()


def test_second_snakemake_at_once_is_refused(workflow):
    script = workflow.folder / "scripts/plot_scatter.py"
    start = 'if __name__ == "__main__":\n'
    edit(script, start, f"{start}    import time\n    time.sleep(20)\n")
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
