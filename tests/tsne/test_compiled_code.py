"""Compiled functions where their machine code cannot be stored."""

import os
import shutil
import subprocess
import sys

import pytest

from helpers import ROOT

CODE = """
from common.numba_setup import compiled

@compiled
def double(x):
    return 2 * x

print(double(21))
"""


@pytest.mark.slow
def test_functions_are_compiled_where_nothing_can_be_written(tmp_path):
    folder = tmp_path / "common"
    folder.mkdir()
    for name in ("numba_setup.py", "environment.py"):
        shutil.copy2(ROOT / "scripts/common" / name, folder)
    (tmp_path / "program.py").write_text(CODE)
    unwritable = tmp_path / "__pycache__"
    unwritable.touch()  # a file in the place of both cache folders, which not even root can write to
    environment = {"PATH": os.environ["PATH"], "HOME": str(unwritable)}
    command = [sys.executable, "program.py"]
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert result.stdout == "42\n", result.stderr
