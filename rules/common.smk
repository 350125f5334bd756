# What all rules share: the code that they run, and the configuration.

import functools
import re
import shutil
import sys
from contextlib import contextmanager
from pathlib import Path

import yaml

SCRIPTS = Path(str(workflow.current_basedir)) / "../scripts"


@functools.cache
def source(file):
    """Return the path of a file in scripts/, where Python can import it; None if there is no such file.

    Of a workflow from git, Snakemake fetches single files; one that gitfile() fetches has the commit in its name.
    """
    if SCRIPTS.is_dir():
        return SCRIPTS / file if (SCRIPTS / file).exists() else None
    try:
        fetched = Path(workflow.source_path(f"../scripts/{file}"))
        content = fetched.read_bytes()
    except (OSError, WorkflowError):
        return None
    path = fetched.with_name(Path(file).name)
    if not path.exists():
        shutil.copyfile(fetched, path)
    elif path.read_bytes() != content:
        raise WorkflowError(f"{fetched}: one Snakefile cannot use two commits of this workflow. Use one commit.")
    return path


for file in ("common/__init__.py", "common/workflow/__init__.py", "common/workflow/code.py"):
    source(file)
sys.path.insert(0, str(source("common/__init__.py").parents[1]))

from common.workflow.code import digest, list_code, list_imports


@functools.cache
def code(*files):
    """Return a digest of files in scripts/ and of all modules that they import.

    As a parameter of a rule, it makes the rule's output stale when they change. Snakemake notices only a change of the
    script itself; as input files, they would be recorded with absolute paths.
    """
    return digest(path for file in files for path in list_code(file, source).values())


# This fetches what is imported here.
code("common/folders.py", "common/settings/__init__.py", "common/settings/sources.py")
code(*(f"common/workflow/{module}.py" for module in ("messages", "provenance", "resources", "scheduling")))

from common.errors import UserError
from common.folders import digest_files
from common.names import SPLITS, SUFFIXES
from common.scoring.parameters import MAX_VOTERS
from common.settings import datasets, load_configuration, resolve_comparisons, resolve_datasets, sources
from common.tsne.backends import AUTO, BACKENDS
from common.workflow import messages, provenance
from common.workflow.resources import request
from common.workflow.scheduling import keep_one_timer


@contextmanager
def report_user_errors(prefix=""):
    """Let Snakemake end with the line of a UserError, after a prefix."""
    try:
        yield
    except UserError as error:
        raise WorkflowError(f"{prefix}{error}") from None


def load_yaml(file):
    """Return the content of a YAML file of this workflow."""
    return yaml.safe_load(Path(workflow.source_path(file)).read_text(encoding="utf-8"))


if set(str(workflow.current_basedir)) & set("{}"):
    raise WorkflowError(f"Snakemake reads braces as wildcards. Rename the folder {workflow.current_basedir}.")

with report_user_errors("configuration: "):
    SCHEMA = load_yaml("../config/schema.yaml")
    config.update(load_configuration(config, load_yaml("../config/config.yaml"), SCHEMA))
    for values in (config, *config["datasets"].values()):
        architecture = f"common/networks/architectures/{values.get('network', {}).get('model')}.py"
        if source(architecture):
            code(architecture)  # fetches a built-in one, and what it imports
    SETTINGS, INVALID = resolve_datasets(config, SCHEMA)  # INVALID: what is wrong with data sets that are not in make
    COMPARED, NOT_COMPARED = resolve_comparisons(config, SETTINGS, INVALID)  # likewise, of comparisons

keep_one_timer(snakemake.workflow.JobScheduler)
provenance.publish(workflow.current_basedir, load_yaml("../CITATION.cff")["version"], snakemake.__version__, SETTINGS)

# The data sets, by what they need.
VECTORS = [name for name, settings in SETTINGS.items() if datasets.is_vectors(settings)]
IMAGES = [name for name in SETTINGS if name not in VECTORS]
ALIKE = [name for name, settings in SETTINGS.items() if settings["like"]]
ILLUSTRATED = [name for name, settings in SETTINGS.items() if datasets.has_images(settings)]
PREDICTED = [name for name, settings in SETTINGS.items() if datasets.predictions(settings)]
TRAINED = [name for name in IMAGES if SETTINGS[name]["trained"]]
IMPORTED = [name for name in IMAGES if not SETTINGS[name]["trained"]]
LANDMARKED = [name for name, settings in SETTINGS.items() if settings["tsne"]["landmarks"]]
EMBEDDED_WHOLE = [name for name in SETTINGS if name not in LANDMARKED]

# The checkpoints of their networks, by suffix: the last ones, those before training, and those between.
CHECKPOINTS = {k: v for settings in SETTINGS.values() for k, v in datasets.checkpoints_by_suffix(settings).items()}
LAST = [suffix for suffix, checkpoint in CHECKPOINTS.items() if checkpoint.epoch is None]
INITIAL = [suffix for suffix, checkpoint in CHECKPOINTS.items() if checkpoint.epoch == 0]
BETWEEN = [suffix for suffix in CHECKPOINTS if suffix not in (*LAST, *INITIAL)]

# A GPU decides on the conda environment and, on a cluster, on the node.
GPU_FOR_NETWORK = config["gpu"]
GPU_FOR_TSNE = config["gpu"] if config["tsne"]["backend"] == AUTO else BACKENDS[config["tsne"]["backend"]].needs_gpu
NETWORK_ENV = f"../envs/network{'-gpu' if GPU_FOR_NETWORK else ''}.yaml"
TSNE_ENV = f"../envs/maps{'-gpu' if GPU_FOR_TSNE else ''}.yaml"


def any_of(values):
    """Return a regular expression that matches these values only; without values, nothing."""
    return f"({'|'.join(map(re.escape, values))})" if values else "(?!)"


wildcard_constraints:
    dataset=any_of(SETTINGS),
    comparison=any_of(COMPARED),
    layer=any_of({layer for settings in SETTINGS.values() for layer in datasets.layer_names(settings)}),
    training=any_of(CHECKPOINTS),
    tsne=any_of({suffix for settings in SETTINGS.values() for suffix in datasets.tsne_seeds_by_suffix(settings)}),
