"""What is recorded with the results about the workflow that made them."""

import hashlib
import json
import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from snakemake.sourcecache import HostingProviderFile, LocalGitFile

from common.provenance import VARIABLE

CODE = ("Snakefile", "rules", "scripts", "envs")  # a change of other files does not change results


def run_git(folder: str | Path, *arguments: str) -> str:
    """Return what git prints in a folder, or "" without git or a repository."""
    command = ["git", "-C", str(folder), *arguments]
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def find_commit(place: Any) -> tuple[str | None, bool | None]:
    """Return the commit of the workflow, and whether its code has changed since; both None outside of git.

    `place` is Snakemake's `workflow.current_basedir` in a file of rules/.
    """
    if isinstance(place, LocalGitFile):
        return run_git(place.repo_path, "rev-parse", f"{place.ref}^{{commit}}") or None, False
    if isinstance(place, HostingProviderFile):
        return run_git(place.hosted_repo.repo_clone, "rev-parse", f"{place.ref}^{{commit}}") or None, False
    folder = Path(str(place)) / ".."
    if not run_git(folder, "ls-files", "Snakefile"):  # the folder may be in the repository of another project
        return None, None
    return run_git(folder, "rev-parse", "HEAD"), bool(run_git(folder, "status", "--porcelain", *CODE))


def hash_settings(settings: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a data set's settings."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


def publish(place: Any, version: str, snakemake: str, settings: Mapping[str, Mapping[str, Any]]) -> None:
    """Put the provenance into an environment variable, where the scripts read it.

    As a parameter of the rules, each commit would make everything stale.
    """
    commit, changed = find_commit(place)
    workflow = {"version": version, "commit": commit, "changed": changed, "snakemake": snakemake}
    configurations = {dataset: hash_settings(values) for dataset, values in settings.items()}
    os.environ[VARIABLE] = json.dumps({"workflow": workflow, "configurations": configurations})


def read_pins(environments: Iterable[str | Path]) -> dict[str, str]:
    """Return the versions that conda environments pin, by package."""
    pins = {}
    for path in environments:
        for entry in yaml.safe_load(Path(path).read_text(encoding="utf-8"))["dependencies"]:
            name = re.match(r"[\w-]+", entry)[0]
            pins[name] = entry.removeprefix(name).lstrip(" =")
    return pins
