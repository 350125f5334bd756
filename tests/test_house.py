"""The rules of the house: style, environments, imports."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from helpers import ROOT, system_program

SCRIPTS = sorted((ROOT / "scripts").glob("*.py"))
PACKAGES = {  # of an imported module, as conda names it, where the names differ
    "PIL": "pillow",
    "matplotlib": "matplotlib-base",
    "openTSNE": "opentsne",
    "pypi_simple": "pypi-simple",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
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


def test_snakefile_is_short():
    assert len((ROOT / "Snakefile").read_text().splitlines()) <= 60


def test_each_script_has_the_name_of_its_rule():
    rules = dict(re.findall(r"^rule (\w+):(.*?)(?=^rule |\Z)", RULES, re.M | re.S))
    scripts = {name: re.search(r"scripts/(\w+)\.py", body) for name, body in rules.items()}
    assert {name for name, script in scripts.items() if script} == {path.stem for path in SCRIPTS}
    assert all(script[1] == name for name, script in scripts.items() if script)


def imports(path: Path) -> set[str]:
    """The modules that a file imports, `package` or `common.module`."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module)
    return found


def all_imports(path: Path) -> set[str]:
    """What a file imports, with what its helpers import."""
    found = imports(path)
    for module in {module for module in found if module.startswith("common.")}:
        found |= all_imports(ROOT / "scripts" / f"{module.replace('.', '/')}.py")
    return found


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_rule_names_the_helpers_that_its_script_imports(script):
    rule = re.search(rf"^rule {script.stem}:(.*?)(?=^rule |\Z)", RULES, re.M | re.S)[1]
    named = set(re.findall(r'"([\w.]+)"', re.search(r"helpers\((.*?)\)", rule, re.S)[1]))
    assert named == {module.removeprefix("common.") for module in imports(script) if module.startswith("common.")}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_environment_of_a_rule_declares_what_its_script_imports(script):
    rule = re.search(rf"^rule {script.stem}:(.*?)(?=^rule |\Z)", RULES, re.M | re.S)[1]
    modules = {module.split(".")[0] for module in all_imports(script)} - {"common"} - set(sys.stdlib_module_names)
    for environment in re.findall(r"envs/([\w-]+\.yaml)", rule):
        entries = yaml.safe_load((ROOT / "envs" / environment).read_text())["dependencies"]
        declared = {re.match(r"[\w-]+", entry)[0] for entry in entries}
        optional = {"tsnecuda"} if environment == "maps.yaml" else set()  # the script looks whether it is there
        assert {PACKAGES.get(module, module) for module in modules} - optional <= declared, environment


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


def test_requirements_have_hashes_and_no_address():
    for path in ROOT.glob("requirements*.in"):
        text = path.with_suffix(".txt").read_text()
        packages = re.split(r"^(?=[a-z])", text, flags=re.M)[1:]
        assert packages and all("--hash=sha256:" in package for package in packages)
        assert "://" not in text


def test_table_of_faults_and_tests_agree():
    table = re.findall(r"`(test_\w+\.py)::(test_\w+)` \|$", (ROOT / "docs/faults.md").read_text(), re.M)
    assert len(table) == len(set(table)) > 40
    tests = {
        (path.name, name)
        for path in (ROOT / "tests").glob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(), re.M)
    }
    assert set(table) <= tests, "a test that is not there"
    whole = {"test_faults.py", "test_download_faults.py", "test_odd_data.py", "test_any_bytes.py"}
    assert {test for test in tests if test[0] in whole} <= set(table), "a fault that is not in the table"


@pytest.mark.parametrize(
    ("there", "taken"),
    [
        ({"python3.11": "3.11", "python3.12": "3.12", "python3": "3.11"}, "python3.12"),
        ({"python3.13": "3.13", "python3.12": "3.12"}, "python3.13"),
        ({"python3": "3.13"}, "python3"),
        ({"python3": "3.10", "python3.11": "3.11"}, "python3.11"),
        ({"python3": "3.10"}, None),
        ({}, None),
    ],
)
def test_make_takes_the_newest_python_of_those_that_tensorflow_has_wheels_for(tmp_path, there, taken):
    make, shell = system_program("make", "make"), system_program("sh", "dash")
    for name, version in there.items():
        (tmp_path / name).write_text(f"#!{shell}\necho {version}\n")
        (tmp_path / name).chmod(0o755)
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "requirements.txt").touch()
    dry = ["--dry-run"] if taken else []
    environment = {"PATH": str(tmp_path)}
    result = subprocess.run(
        [make, f"SHELL={shell}", *dry, ".venv/installed"], cwd=tmp_path, capture_output=True, text=True, env=environment
    )
    if taken:
        assert f"\n{taken} -m venv .venv\n" in result.stdout
    else:
        assert result.returncode != 0
        assert result.stdout.startswith("error: found no Python 3.13 3.12 3.11; install one") and "://" in result.stdout
