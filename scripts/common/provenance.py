"""What made a result: the workflow's version and commit, the configuration, and the versions of what ran."""

import importlib.metadata
import json
import os
import platform
from typing import Any

VARIABLE = "WORKFLOW_PROVENANCE"  # rules/provenance.smk sets it


def provenance(dataset: str, *projects: str) -> dict[str, Any]:
    """What makes a result of a data set, to be kept with it, with the versions of Python and of these projects.

    Keys: `workflow` (version, commit, changed: whether files have changed since, snakemake), `configuration`, the
    SHA-256 of what the configuration says of the data set, and `versions`.
    """
    known = json.loads(os.environ.get(VARIABLE, "{}"))
    versions = {project: importlib.metadata.version(project) for project in projects}
    return {
        "workflow": known.get("workflow", {}),
        "configuration": known.get("configurations", {}).get(dataset),
        "versions": {"python": platform.python_version()} | versions,
    }
