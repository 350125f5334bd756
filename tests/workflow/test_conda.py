"""`--use-conda`: every environment in envs/ is created from its file, and the workflow runs in them.

This shows that conda can read each file, that its packages can be solved, linked and activated together, and that each
script needs only what its environment declares, since Snakemake itself runs in an environment with nothing else. It
does not show that conda-forge has these versions, that its builds work, or that the environments with CUDA can be
solved: conda and conda-forge are replaced by conda_stand_in.py.

It takes 3 minutes on 2 cores, and 3.2 GB.
"""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from conda_stand_in import PYTHON, install, make_channel
from packaging.specifiers import SpecifierSet

from helpers import FIGURES, ROOT, Workflow

pytestmark = [pytest.mark.slow, pytest.mark.conda]

CPU_ENVIRONMENTS = sorted(path for path in (ROOT / "envs").glob("*.yaml") if not path.stem.endswith("-gpu"))


@pytest.fixture(scope="module")
def conda(tmp_path_factory) -> Path:
    """Return a folder with a replacement for conda, and an environment with Snakemake only."""
    conda = tmp_path_factory.mktemp("conda")
    requirements = (ROOT / "requirements.in").read_text().splitlines()
    make_channel(conda / "channel", [line.split("==")[0] for line in requirements if "==" in line])
    install(conda)
    specification = {"channels": ["conda-forge"], "dependencies": [f"python={PYTHON}", "snakemake"]}
    (conda / "snakemake.yaml").write_text(yaml.safe_dump(specification))
    create = f"{conda}/bin/conda env create --quiet --no-default-packages --file {conda}/snakemake.yaml --prefix"
    subprocess.run([*create.split(), conda / "envs/snakemake"], check=True)
    return conda


@pytest.fixture
def workflow(fresh, tmp_path) -> Workflow:
    """Return the workflow before any run, with environments for the Python that runs this."""
    workflow = fresh.copy(tmp_path / "workflow")
    for environment in (workflow.folder / "envs").glob("*.yaml"):
        environment.write_text(environment.read_text().replace("python=3.12", f"python={PYTHON}"))
    return workflow


def snakemake(workflow: Workflow, conda: Path, *arguments: str) -> subprocess.CompletedProcess:
    """Run the Snakemake of the environment."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    environment["PATH"] = f"{conda}/envs/snakemake/bin:{conda}/bin:/usr/bin:/bin"
    command = [
        conda / "envs/snakemake/bin/python",
        "-m",
        "snakemake",
        "--cores",
        "2",
        "--configfile",
        "digits.yaml",
        *arguments,
    ]
    return subprocess.run(command, cwd=workflow.folder, capture_output=True, text=True, env=environment)


def test_whole_workflow_runs_in_its_environments(workflow, conda):
    packages = {path.name for path in (conda / f"envs/snakemake/lib/python{PYTHON}/site-packages").iterdir()}
    assert "snakemake" in packages and not packages & {"numpy", "tensorflow", "openTSNE", "matplotlib", "faiss"}

    result = snakemake(workflow, conda, "--use-conda")
    assert result.returncode == 0, result.stdout + result.stderr
    figures = {path.name for path in (workflow.folder / "results/figures").iterdir()}
    assert figures == {f"{name}.{suffix}" for name in FIGURES for suffix in ("eps", "png")}

    created = {}
    for file in (workflow.folder / ".snakemake/conda").glob("*_.yaml"):
        records = [json.loads(path.read_text()) for path in file.with_suffix("").glob("conda-meta/*.json")]
        created[file.read_text()] = {record["name"]: record["version"] for record in records}
    assert len(created) == len(CPU_ENVIRONMENTS)
    for path in CPU_ENVIRONMENTS:
        text = (workflow.folder / "envs" / path.name).read_text()
        for entry in yaml.safe_load(text)["dependencies"]:
            name, version = re.split("[ =]", entry, maxsplit=1)
            found = created[text][name]
            assert found.startswith(version) or SpecifierSet(version).contains(found), f"{path.name}: {entry}"

    again = snakemake(workflow, conda, "--sdm", "conda")
    assert "Nothing to be done" in again.stdout + again.stderr


def test_environment_that_cannot_be_created_is_named_with_its_reason(workflow, conda):
    environment = workflow.folder / "envs/data.yaml"
    environment.write_text(environment.read_text().replace("tqdm=4.70.1", "tqdm=999"))
    result = snakemake(workflow, conda, "--use-conda")
    assert result.returncode != 0 and not (workflow.folder / "resources").exists()
    last = "\n".join(result.stderr.splitlines()[-10:])
    assert "Could not create conda environment from" in last and "envs/data.yaml" in last and "tqdm" in last


def test_missing_conda_is_reported_in_one_line(workflow, tmp_path):
    result = workflow.run("--use-conda", PATH="/usr/bin:/bin")
    assert result.returncode != 0
    assert result.stderr.splitlines()[-1].startswith("Error running conda info. Is conda installed and accessible?")
