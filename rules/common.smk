# What the rules share: the wildcards' values, and the files that a script uses.

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


def digest(*files):
    """A digest of files in scripts/ that a rule's script uses, as a parameter.

    Snakemake reruns a rule when its script is edited, but knows nothing of what the script reads or imports. As input
    files they would be recorded with their absolute paths, and a folder that was moved would be stale.
    """
    contents = (Path(workflow.source_path(f"../scripts/{file}")).read_bytes() for file in files)
    return hashlib.sha256(b"".join(hashlib.sha256(content).digest() for content in contents)).hexdigest()[:16]


def helpers(*modules):
    """`digest` of the modules of scripts/common that a rule's script imports, and of those that they import."""
    digests = []
    for module in modules:
        file = f"common/{module}.py"
        tree = ast.parse(Path(workflow.source_path(f"../scripts/{file}")).read_text())
        imported = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        imported = [name.removeprefix("common.") for name in imported if name.startswith("common.")]
        digests += [digest(file), helpers(*imported)]
    return hashlib.sha256("".join(digests).encode()).hexdigest()[:16]
