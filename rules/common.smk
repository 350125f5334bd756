# What the rules share: the wildcards' values, and the files that a script uses.

import ast
import hashlib
import json
import math
import os
import re
import shutil
from pathlib import Path

import yaml


wildcard_constraints:
    dataset=one_of(SETTINGS),
    layer=one_of({layer for dataset in SETTINGS for layer in layers(dataset)}),
    training=one_of({training for dataset in SETTINGS for training in trainings(dataset)}),
    tsne=one_of({tsne for dataset in SETTINGS for tsne in tsnes(dataset)}),


def pins():
    """The versions of what is in the environments that the rules name, and of Snakemake, by name."""
    found = {"snakemake": snakemake.__version__}
    network, maps = ("network-gpu" if GPU_FOR_NETWORK else "network"), ("maps-gpu" if GPU_FOR_MAPS else "maps")
    for name in ("data", network, "neighbors", maps, "scores", "figures"):
        with open(workflow.source_path(f"../envs/{name}.yaml")) as file:
            entries = yaml.safe_load(file)["dependencies"]
        found |= {
            name: entry.removeprefix(name).lstrip(" =") for entry in entries for name in re.findall(r"^[\w-]+", entry)
        }
    return found


def by_size(base, most=math.inf, **factors):
    """What a job asks for: `base`, and for each input named so much a megabyte of it; with each attempt twice as much.

    Of an input that a job holds in pieces, no more than `most` megabytes count.

    In megabytes or minutes. Measured on all of MNIST, with some to spare, since other machines are slower, or busy;
    memory with 300 for Snakemake, which runs the job on a cluster's node. docs/resources.md compares.
    """

    def ask(wildcards, input, attempt):
        return int(
            (base + sum(factor * min(megabytes(input[name]), most) for name, factor in factors.items()))
            * 2 ** (attempt - 1)
        )

    return ask


def megabytes(paths):
    """The size of a file, or of several together."""
    return sum(os.path.getsize(path) for path in ([paths] if isinstance(paths, str) else paths)) / 1e6


# Who asks for a GPU. It decides on the environment and, on a cluster, on the node.
GPU_FOR_NETWORK = config["gpu"]
GPU_FOR_MAPS = {"auto": config["gpu"], "tsnecuda": True, "opentsne": False}[config["tsne"]["backend"]]


def digest(*files):
    """A digest of files in scripts/ that a rule's script uses, as a parameter.

    Snakemake reruns a rule when its script is edited, but knows nothing of what the script reads or imports. As input
    files they would be recorded with their absolute paths, and a folder that was moved would be stale.
    """
    digests = [hashlib.sha256(source(file).read_bytes()).digest() for file in files]
    return hashlib.sha256(b"".join(digests)).hexdigest()[:16]


def source(file):
    """A file in scripts/, where a script finds it that imports or reads it.

    Of a workflow from git, Snakemake fetches what is asked for, so that scripts can import it; but what gitfile() has
    fetched has the commit in its name.
    """
    fetched = Path(workflow.source_path(f"../scripts/{file}"))
    path = fetched.with_name(Path(file).name)
    if not path.exists():
        shutil.copyfile(fetched, path)
    elif path.read_bytes() != fetched.read_bytes():
        raise WorkflowError(
            f"{fetched}: two commits of this workflow cannot be modules of one; use one commit for both"
        )
    return path


def page_files(html):
    """Return an HTML file in scripts/ and the style sheets and scripts beside it that it names, in its order."""
    named = re.findall(r'<(?:link rel="stylesheet" href|script src)="([^"]+)">', source(html).read_text())
    return [html, *(f"{Path(html).parent}/{name}" for name in named)]


def helpers(*modules):
    """`digest` of the modules of scripts/common that a rule's script imports, and of those that they import."""
    digests = [digest("common/__init__.py")]
    for module in modules:
        file = f"common/{module.replace('.', '/')}.py"
        tree = ast.parse(source(file).read_text())
        imported = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        imported = [name.removeprefix("common.") for name in imported if name.startswith("common.")]
        digests += [digest(file), helpers(*imported)]
    return hashlib.sha256("".join(digests).encode()).hexdigest()[:16]


# The parts of the report, in its order.
LAYERS_IN_REPORT, MAPS_IN_REPORT, NETWORK_IN_REPORT = "1. Layers side by side", "2. Maps", "3. Network"


def shown(category, caption, figure):
    """How the report shows a figure's PNG: where, with which text, and with what labels; of a map with its facts."""

    def labels(wildcards, input):
        layer, several = wildcards.get("layer"), len(config["make"]) > 1
        said = {"data set": wildcards.dataset} if several else {}
        if layer is None:
            return said | {"layer": "all", "figure": figure}
        facts = json.loads(Path(input.facts).read_text())
        backend = f"{facts['backend']} {facts['version']}"
        return said | {"layer": layer, "figure": figure, "KL divergence": facts["kl_divergence"], "made by": backend}

    return {"category": category, "caption": f"../report/{caption}.rst", "labels": labels}
