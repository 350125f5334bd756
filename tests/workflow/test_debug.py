"""A script that runs in a debugger gets the inputs of its job."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("arguments", "target"),
    [
        (["plot_scatter", "dataset=Small", "layer=pixel"], "results/figures/Small_tSNE_pixel.eps"),
        (["embed_tsne", "dataset=Small", "layer=conv1"], "results/Small/maps/conv1.npy"),
    ],
)
def test_script_makes_what_its_job_makes(workflow, arguments, target):
    path = workflow.folder / target
    before = path.read_bytes()
    path.unlink()
    command = [sys.executable, "-m", "common.workflow.debug", *arguments, "configfile=digits.yaml"]
    environment = os.environ | {"PYTHONPATH": "scripts"}
    result = subprocess.run(command, cwd=workflow.folder, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert path.read_bytes() == before
