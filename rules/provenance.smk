# What is recorded with the results of what made them. It reaches the scripts by a variable of the environment, since as a
# parameter each commit would make everything stale.

import hashlib
import json
import os
import subprocess

import yaml
from snakemake.sourcecache import HostingProviderFile, LocalGitFile

with open(workflow.source_path("../CITATION.cff")) as file:
    CITATION = yaml.safe_load(file)


def git(folder, *command):
    """What git says in a folder; nothing where there is no git, or no repository."""
    try:
        return subprocess.run(
            ["git", "-C", folder, *command], check=True, capture_output=True, text=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def commit(place):
    """The commit of the workflow at a place, and whether its code was changed since; neither is known outside of git."""
    if isinstance(place, LocalGitFile):
        return git(place.repo_path, "rev-parse", f"{place.ref}^{{commit}}") or None, False
    if isinstance(place, HostingProviderFile):
        return git(place.hosted_repo.repo_clone, "rev-parse", f"{place.ref}^{{commit}}") or None, False
    folder = os.path.join(str(place), "..")
    if not git(folder, "ls-files", "Snakefile"):  # in the repository of another project, perhaps
        return None, None
    return git(folder, "rev-parse", "HEAD"), bool(
        git(folder, "status", "--porcelain", "Snakefile", "rules", "scripts", "envs")
    )


def configuration_of(dataset):
    """The SHA-256 of what the configuration says of a data set."""
    return hashlib.sha256(json.dumps(SETTINGS[dataset], sort_keys=True).encode()).hexdigest()


COMMIT, CHANGED = commit(workflow.current_basedir)
os.environ.update(
    WORKFLOW_PROVENANCE=json.dumps(
        {
            "workflow": {
                "version": CITATION["version"],
                "commit": COMMIT,
                "changed": CHANGED,
                "snakemake": snakemake.__version__,
            },
            "configurations": {dataset: configuration_of(dataset) for dataset in SETTINGS},
        }
    )
)
