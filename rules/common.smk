# What the rules share: the wildcards' values, and the helpers that a script imports.

import ast
import hashlib
import os
import re
from pathlib import Path


wildcard_constraints:
    dataset=re.escape(DATASET),
    layer="|".join(map(re.escape, config["layers"])),


def by_size(base, **factors):
    """What a job asks for: `base`, and for each input named so much a megabyte of it; with each attempt twice as much.

    In megabytes or minutes. Measured on all of MNIST, with some to spare, since other machines are slower, or busy;
    memory with 300 for Snakemake, which runs the job on a cluster's node. docs/resources.md compares.
    """

    def ask(wildcards, input, attempt):
        return int(
            (base + sum(factor * megabytes(input[name]) for name, factor in factors.items())) * 2 ** (attempt - 1)
        )

    return ask


def megabytes(path):
    """The size of a file."""
    return os.path.getsize(path) / 1e6


# Who asks for a GPU. It decides on the environment and, on a cluster, on the node.
GPU_FOR_NETWORK = config["gpu"]
GPU_FOR_MAPS = {"auto": config["gpu"], "tsnecuda": True, "opentsne": False}[config["tsne"]["backend"]]


def helpers(*modules):
    """A digest of the modules of scripts/common that a rule's script imports, and of those that they import, as a parameter.

    Snakemake reruns a rule when its script is edited, but knows nothing of what the script imports. As input files they
    would be recorded with their absolute paths, and a folder that was moved would be stale.
    """
    digest = hashlib.sha256()
    for module in modules:
        text = Path(workflow.source_path(f"../scripts/common/{module}.py")).read_text()
        imported = [node.module for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)]
        imported = [name.removeprefix("common.") for name in imported if name.startswith("common.")]
        digest.update((text + helpers(*imported)).encode())
    return digest.hexdigest()[:16]
