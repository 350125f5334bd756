"""The provenance of a result: version and commit of the workflow, configuration, and versions of libraries."""

import importlib.metadata
import json
import os
import platform
from typing import Any

VARIABLE = "WORKFLOW_PROVENANCE"  # common.workflow.provenance sets it


def provenance(dataset: str, *projects: str) -> dict[str, Any]:
    """Return the provenance of a data set's result, to be stored with it.

    Keys: `workflow` (version, commit, whether files have changed since, and Snakemake's version), `configuration` (the
    SHA-256 of the data set's settings), and `versions` of Python and of these projects.
    """
    known = json.loads(os.environ.get(VARIABLE, "{}"))
    versions = {project: importlib.metadata.version(project) for project in projects}
    return {
        "workflow": known.get("workflow", {}),
        "configuration": known.get("configurations", {}).get(dataset),
        "versions": {"python": platform.python_version()} | versions,
    }
