"""The benchmark of whole runs."""

import subprocess
from types import SimpleNamespace

import whole_run


def test_variants_differ_in_the_control_and_in_the_commit():
    variants = whole_run.list_variants("28f93c0")
    assert list(variants) == ["with control", "without control", "28f93c0"]
    assert variants["with control"] == ("HEAD", "") and variants["28f93c0"] == ("28f93c0", "")
    assert "checkpoints: []" in variants["without control"][1]
    assert len(whole_run.list_variants(None)) == 2


def test_run_is_of_a_clone_with_the_data_and_the_configuration(tmp_path, monkeypatch):
    (tmp_path / "mnist.pkl.gz").write_bytes(b"data")
    seen = {}

    def run(command, cwd=None, check=True):
        if command[:2] == ["git", "clone"]:
            command[-1].mkdir()
        elif cwd:
            seen["files"] = {path: (cwd / path).read_text() for path in ("resources/mnist.pkl.gz", "variant.yaml")}
            seen["command"] = command
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(subprocess, "run", run)
    found = whole_run.measure_run("HEAD", "network: {checkpoints: []}\n", tmp_path / "mnist.pkl.gz", cores=2)
    assert seen["files"] == {"resources/mnist.pkl.gz": "data", "variant.yaml": "network: {checkpoints: []}\n"}
    assert seen["command"][1:5] == ["-m", "snakemake", "--cores", "2"]
    assert found["seconds"] >= 0 and found["cpu_seconds"] >= 0
