"""Conventions of the repository: style, environments, pages that agree with the code."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from common.workflow.code import list_code
from helpers import ROOT, system_program

SCRIPTS = sorted((ROOT / "scripts").glob("*.py"))
PACKAGES = {  # conda's name of an imported module, where the names differ
    "PIL": "pillow",
    "matplotlib": "matplotlib-base",
    "openTSNE": "opentsne",
    "pypi_simple": "pypi-simple",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
}
OPTIONAL = {  # packages that a script imports in a function only, if it needs them
    "maps.yaml": {"tsnecuda"},  # which is tried
    "figures.yaml": {"sklearn", "scipy"},  # which compute scores, of which the figures read the labels
}
CHOSEN = {  # environments that rules/common.smk chooses between
    "NETWORK_ENV": ["network.yaml", "network-gpu.yaml"],
    "TSNE_ENV": ["maps.yaml", "maps-gpu.yaml"],
}
LOADED_BY_NAME = {  # modules that the configuration names
    "prepare_dataset": ["common/readers/*.py"],
    "train_network": ["common/networks/architectures/*.py"],
}
TENSORFLOW = ">=2.19.1,<2.22"  # in conda's environments
RULES = "\n".join(path.read_text() for path in sorted((ROOT / "rules").glob("*.smk")))


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["snakefmt", "--check", "Snakefile", "rules"],
        ["snakemake", "--lint"],
    ],
    ids=" ".join,
)
def test_style(command):
    result = subprocess.run(
        [Path(sys.executable).with_name(command[0]), *command[1:]], cwd=ROOT, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout + result.stderr


def find_rules() -> dict[str, str]:
    """Return the text of each rule that has a script, by its name."""
    found = dict(re.findall(r"^rule (\w+):\n((?: .*\n|\n)*)", RULES, re.M))
    return {name: text for name, text in found.items() if "script:" in text}


def test_each_rule_has_a_script_of_its_name():
    rules = find_rules()
    assert set(rules) == {path.stem for path in SCRIPTS}
    assert all(f'"../scripts/{name}.py"' in text for name, text in rules.items())


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_rule_depends_on_the_code_of_its_script(script):
    assert re.search(rf'code=code\("{script.name}"', find_rules()[script.stem])


def list_packages(script: Path) -> set[str]:
    """Return the packages, not of the standard library, that a script and its modules import, in functions too."""
    folder = ROOT / "scripts"
    files = list_code(script.name, lambda name: folder / name if (folder / name).exists() else None)
    paths = [*files.values(), *(path for name in LOADED_BY_NAME.get(script.stem, []) for path in folder.glob(name))]
    modules = set()
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            modules |= {name.split(".")[0] for name in names}
    return modules - {"common", "snakemake", *sys.stdlib_module_names}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_environment_of_a_rule_declares_what_its_script_imports(script):
    text = find_rules()[script.stem]
    environments = re.findall(r"envs/([\w-]+\.yaml)", text)
    environments += [name for variable, names in CHOSEN.items() if variable in text for name in names]
    assert environments
    for environment in environments:
        entries = yaml.safe_load((ROOT / "envs" / environment).read_text())["dependencies"]
        declared = {re.match(r"[\w-]+", entry)[0] for entry in entries}
        needed = list_packages(script) - OPTIONAL.get(environment, set())
        assert {PACKAGES.get(module, module) for module in needed} <= declared, environment


def test_environments_and_requirements_have_the_same_versions():
    pinned = dict(re.findall(r"^([a-z0-9-]+)==([\w.]+)", (ROOT / "requirements.txt").read_text(), re.M))
    for path in sorted((ROOT / "envs").glob("*.yaml")):
        environment = yaml.safe_load(path.read_text())
        assert environment["channels"] == ["conda-forge"]
        for entry in environment["dependencies"]:
            name, version = re.split("[ =]", entry, maxsplit=1)
            if name == "tensorflow":  # of which conda-forge has no build of the same version for certain
                assert version.split()[0] == TENSORFLOW, f"{path.name}: {entry}"
                assert SpecifierSet(TENSORFLOW).contains(pinned[name])
            elif name not in ("python", "tsnecuda", "libfaiss"):  # these are not for pip
                assert pinned[name.replace("matplotlib-base", "matplotlib")] == version, f"{path.name}: {entry}"


def test_requirements_have_hashes_and_no_url():
    for path in ROOT.glob("requirements*.in"):
        text = path.with_suffix(".txt").read_text()
        packages = re.split(r"^(?=[a-z])", text, flags=re.M)[1:]
        assert packages and all("--hash=sha256:" in package for package in packages)
        assert "://" not in text


def test_faults_page_names_tests_that_exist():
    table = re.findall(r"`([\w/]+\.py)::(test_\w+)` \|$", (ROOT / "docs/faults.md").read_text(), re.M)
    assert len(table) == len(set(table)) > 40
    tests = {
        (str(path.relative_to(ROOT / "tests")), name)
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(), re.M)
    }
    assert set(table) <= tests


@pytest.mark.parametrize(
    ("installed", "chosen"),
    [
        ({"python3.11": "3.11", "python3.12": "3.12", "python3": "3.11"}, "python3.12"),
        ({"python3.13": "3.13", "python3.12": "3.12"}, "python3.13"),
        ({"python3": "3.13"}, "python3"),
        ({"python3": "3.10", "python3.11": "3.11"}, "python3.11"),
        ({"python3": "3.10"}, None),
        ({}, None),
    ],
)
def test_make_chooses_the_newest_python_that_tensorflow_supports(tmp_path, installed, chosen):
    make, shell = system_program("make", "make"), system_program("sh", "dash")
    for name, version in installed.items():
        (tmp_path / name).write_text(f"#!{shell}\necho {version}\n")
        (tmp_path / name).chmod(0o755)
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "requirements.txt").touch()
    dry = ["--dry-run"] if chosen else []
    environment = {"PATH": str(tmp_path)}
    result = subprocess.run(
        [make, f"SHELL={shell}", *dry, ".venv/installed"], cwd=tmp_path, capture_output=True, text=True, env=environment
    )
    if chosen:
        assert f"\n{chosen} -m venv .venv\n" in result.stdout
    else:
        assert result.returncode != 0
        assert result.stdout.startswith("error: found no Python 3.13 3.12 3.11; install one") and "://" in result.stdout
