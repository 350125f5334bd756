"""What is recorded with the results: version, commit, configuration and versions of libraries."""

import json
import platform
import re
import subprocess
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import yaml
from snakemake.sourcecache import GithubFile, LocalGitFile

from common.provenance import VARIABLE, provenance
from common.provenance_text import describe_provenance
from common.workflow.provenance import find_commit, hash_settings, publish, read_pins, run_git
from helpers import ROOT, system_program

COMMIT, HASH = "0123456789ab" + "c" * 28, "fedcba987654" + "3" * 52


def test_changelog_begins_with_the_version_of_the_citation_file():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    latest = re.search(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.M)[1]
    assert latest == f"{citation['version']} ({citation['date-released']})"


def test_record_has_the_published_workflow_and_the_versions(monkeypatch):
    workflow = {"version": "9", "commit": COMMIT, "changed": True}
    monkeypatch.setenv(VARIABLE, json.dumps({"workflow": workflow, "configurations": {"Mine": HASH}}))
    assert provenance("Mine", "numpy") == {
        "workflow": workflow,
        "configuration": HASH,
        "versions": {"python": platform.python_version(), "numpy": np.__version__},
    }
    assert provenance("Other")["configuration"] is None
    monkeypatch.delenv(VARIABLE)
    assert provenance("Mine") | {"versions": 0} == {"workflow": {}, "configuration": None, "versions": 0}


@pytest.mark.parametrize(
    ("workflow", "configuration", "text"),
    [
        (
            {"version": "9", "commit": COMMIT, "changed": True},
            HASH,
            "version 9, commit 0123456789ab with changes, configuration fedcba987654",
        ),
        ({"version": "9", "commit": COMMIT, "changed": False}, None, "version 9, commit 0123456789ab"),
        (
            {"version": "9", "commit": None, "changed": None},
            HASH,
            "version 9, commit unknown, configuration fedcba987654",
        ),
        ({}, None, "version unknown, commit unknown"),
    ],
)
def test_record_is_described_in_words(workflow, configuration, text):
    assert describe_provenance({"workflow": workflow, "configuration": configuration}) == text


@pytest.fixture
def repository(tmp_path) -> Path:
    """A git repository of a workflow with one commit, and the tag v1."""
    system_program("git", "git")
    folder = tmp_path / "repository"
    for name in ("Snakefile", "rules/common.smk", "scripts/plot.py", "docs/page.md"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("first\n")
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "all")
    git(folder, "tag", "--annotate", "--message", "version 1", "v1")
    return folder


def git(folder: Path, *arguments: str) -> str:
    """Return what git prints in a folder."""
    command = ["git", "-c", "user.name=test", "-c", "user.email=test@localhost", *arguments]
    return subprocess.check_output(command, cwd=folder, text=True).strip()


def test_commit_is_found_and_changes_of_the_code_are_noticed(repository):
    commit = git(repository, "rev-parse", "HEAD")
    rules = repository / "rules"
    assert re.fullmatch("[0-9a-f]{40}", commit) and find_commit(rules) == (commit, False)
    (repository / "docs/page.md").write_text("second\n")
    (repository / "results").mkdir()
    (repository / "results/map.npy").touch()
    assert find_commit(rules) == (commit, False), "only code counts"
    (repository / "scripts/new.py").touch()
    assert find_commit(str(rules)) == (commit, True)
    (repository / "scripts/new.py").unlink()
    (repository / "rules/common.smk").write_text("second\n")
    assert find_commit(rules) == (commit, True)


def test_workflow_outside_of_git_has_no_commit(repository, tmp_path):
    (tmp_path / "plain/rules").mkdir(parents=True)
    assert find_commit(tmp_path / "plain/rules") == (None, None)
    assert find_commit(tmp_path / "missing/rules") == (None, None)
    inner = repository / "data/workflow/rules"  # a copy within the repository of another project
    inner.mkdir(parents=True)
    (inner / "../Snakefile").touch()
    assert find_commit(inner) == (None, None)


def test_without_git_there_is_no_commit(repository, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert run_git(repository, "rev-parse", "HEAD") == ""
    assert find_commit(repository / "rules") == (None, None)


def test_commit_of_a_tag_is_found_in_a_workflow_from_git(repository):
    commit = git(repository, "rev-parse", "HEAD")
    (repository / "Snakefile").write_text("second\n")
    git(repository, "commit", "--quiet", "--all", "--message", "second")

    class Fetched(GithubFile):
        hosted_repo = SimpleNamespace(repo_clone=repository)

    for place in (LocalGitFile(str(repository), "rules", tag="v1"), Fetched("owner/repo", "rules", tag="v1")):
        assert find_commit(place) == (commit, False), "not that of the tag itself"
    for place in (LocalGitFile(str(repository), "rules", tag="v2"), Fetched("owner/repo", "rules", tag="v2")):
        assert find_commit(place) == (None, False)


def test_hash_of_settings_depends_on_content_alone():
    settings = {"a": 1, "b": {"c": [1, 2.5, None], "d": "x"}}
    before = hash_settings(settings)
    assert re.fullmatch("[0-9a-f]{64}", before)
    assert hash_settings({"b": {"d": "x", "c": [1, 2.5, None]}, "a": 1}) == before
    for other in ({"a": 2}, {"b": {"c": [2.5, 1, None], "d": "x"}}, {"e": 0}):
        assert hash_settings(settings | other) != before


def test_published_provenance_is_what_the_scripts_record(repository, monkeypatch):
    monkeypatch.setenv(VARIABLE, "")
    publish(repository / "rules", "1.2.3", "9.9", {"Mine": {"a": 1}, "Other": {"a": 2}})
    record = provenance("Mine")
    commit = git(repository, "rev-parse", "HEAD")
    assert record["workflow"] == {"version": "1.2.3", "commit": commit, "changed": False, "snakemake": "9.9"}
    assert record["configuration"] == hash_settings({"a": 1}) != provenance("Other")["configuration"]


def test_pins_are_read_from_environments(tmp_path):
    entries = "[python=3.12, numpy=2.4.6, scikit-learn ==1.9, 'tensorflow >=2.19,<2.22 cuda*']"
    (tmp_path / "a.yaml").write_text(f"channels: [conda-forge]\ndependencies: {entries}\n")
    (tmp_path / "b.yaml").write_text("dependencies:\n  - keras = 3.15.1  # ümlaut\n  - pandas\n  - numpy=2.5\n")
    assert read_pins([tmp_path / "a.yaml", str(tmp_path / "b.yaml")]) == {
        "python": "3.12",
        "numpy": "2.5",
        "scikit-learn": "1.9",
        "tensorflow": ">=2.19,<2.22 cuda*",
        "keras": "3.15.1",
        "pandas": "",
    }
    assert read_pins([]) == {}
