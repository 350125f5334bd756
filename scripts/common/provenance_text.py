"""Provenance in words."""

from collections.abc import Mapping
from typing import Any


def describe_provenance(record: Mapping[str, Any]) -> str:
    """Return a record of common.provenance in words, without the versions of libraries."""
    workflow = record["workflow"]
    commit = f", commit {workflow['commit'][:12]}" if workflow.get("commit") else ", commit unknown"
    changed = " with changes" if workflow.get("changed") else ""
    configuration = f", configuration {record['configuration'][:12]}" if record["configuration"] else ""
    return f"version {workflow.get('version', 'unknown')}{commit}{changed}{configuration}"
