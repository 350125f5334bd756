"""Snakemake reads the configuration with its own Python, which need not have the libraries of the scripts."""

import os
import subprocess
import sys

from helpers import ROOT

LIBRARIES = ("numpy", "scipy", "pandas", "sklearn", "openTSNE", "numba", "keras", "tensorflow", "matplotlib", "skimage")
CODE = """
import sys

import snakemake.utils, snakemake.sourcecache  # which may import some of them
sys.modules |= dict.fromkeys({libraries})
from common import names
from common.networks.architectures import notebook
from common.settings import datasets, load_configuration, resolve_dataset, sources
from common.tsne.backends import BACKENDS
from common.workflow import code, messages, provenance, resources
"""


def test_modules_that_snakemake_imports_need_no_library_of_the_scripts():
    environment = os.environ | {"PYTHONPATH": str(ROOT / "scripts")}
    command = [sys.executable, "-c", CODE.replace("{libraries}", repr(LIBRARIES))]
    result = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
