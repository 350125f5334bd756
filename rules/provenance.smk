# What is recorded with the results of what made them. It reaches the scripts by a variable of the environment, since as a
# parameter each commit would make everything stale.

import hashlib
import json
import os
import subprocess

import yaml

with open(workflow.source_path("../CITATION.cff")) as file:
    CITATION = yaml.safe_load(file)


def commit():
    """The commit of the workflow and whether files were changed since; neither is known outside of a git repository."""
    origin = str(workflow.current_basedir)
    if "@" in origin:  # of gitfile() and github()
        return origin.rsplit("@", 1)[1], False
    git = ["git", "-C", origin, "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty=+"]
    tracked = ["git", "-C", origin, "ls-files", "--error-unmatch", "config.smk"]
    try:
        subprocess.run(tracked, check=True, capture_output=True)
        described = subprocess.run(git, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None, None
    return described.rstrip("+"), described.endswith("+")


def configuration_of(dataset):
    """The SHA-256 of what the configuration says of a data set."""
    return hashlib.sha256(json.dumps(SETTINGS[dataset], sort_keys=True).encode()).hexdigest()


COMMIT, CHANGED = commit()
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
