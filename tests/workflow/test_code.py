"""The files that a script runs, and the digest by which a change of them is noticed."""

import functools
import subprocess
import sys

import pytest

from common.workflow.code import digest, find_imports, list_code
from helpers import ROOT

SCRIPTS = ROOT / "scripts"


@pytest.fixture
def list_files(tmp_path):
    """A function that writes files by name, and returns the names of those that main.py uses."""

    def write_and_list(**files: str) -> list[str]:
        for name, text in ({"common/__init__": ""} | files).items():
            path = tmp_path / f"{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return list(list_code("main.py", functools.partial(find_file, tmp_path)))

    return write_and_list


def find_file(folder, name):
    """Return the path of a file in a folder, or None."""
    return folder / name if (folder / name).exists() else None


PACKAGE = ["common/__init__.py", "common/tools/__init__.py"]


@pytest.mark.parametrize(
    ("text", "used"),
    [
        ("import numpy, os.path", []),
        ("import commonplace", []),
        ("from . import tools", []),
        ("import common.one", ["common/__init__.py", "common/one.py"]),
        ("import common.one as other, json", ["common/__init__.py", "common/one.py"]),
        ("from common import one", ["common/__init__.py", "common/one.py"]),
        ("from common.one import VALUE", ["common/__init__.py", "common/one.py"]),
        ("import common.tools", PACKAGE),
        ("from common.tools import defined_in_init", PACKAGE),
        ("from common.tools import hammer", [*PACKAGE, "common/tools/hammer.py"]),
        ("from common.tools.hammer import hit", [*PACKAGE, "common/tools/hammer.py"]),
        ("from common.tools import hammer, saw", [*PACKAGE, "common/tools/hammer.py", "common/tools/saw.py"]),
        ("from common import tools", PACKAGE),
        ("def use():\n    if True:\n        from common import one", ["common/__init__.py", "common/one.py"]),
        ("class A:\n    import common.one", ["common/__init__.py", "common/one.py"]),
    ],
)
def test_imported_modules_are_listed_with_their_packages(list_files, text, used):
    modules = {f"common/{name}": "" for name in ("one", "tools/__init__", "tools/hammer", "tools/saw", "tools/other")}
    assert list_files(**modules, main=text) == [*used, "main.py"]


def test_imports_of_imported_modules_are_followed(list_files):
    names = list_files(
        **{
            "main": "from common.a import x",
            "common/__init__": "import common.d",
            "common/a": "import common.tools.b",
            "common/tools/__init__": "from common.tools import c",
            "common/tools/b": "from common import a",  # a circle
            "common/tools/c": "",
            "common/d": "",
            "common/unused": "",
        }
    )
    tools = ["common/tools/__init__.py", "common/tools/b.py", "common/tools/c.py"]
    assert names == ["common/__init__.py", "common/a.py", "common/d.py", *tools, "main.py"]


def test_missing_file_uses_nothing(tmp_path):
    assert list_code("none.py", functools.partial(find_file, tmp_path)) == {}


def test_import_of_a_missing_module_is_left_to_python(list_files):
    assert list_files(main="from common.nothing import x") == ["common/__init__.py", "main.py"]


def test_paths_are_those_that_fetch_returns(tmp_path):
    (tmp_path / "main-fetched").write_text("import common.one")
    (tmp_path / "one-fetched").write_text("")
    fetched = {"main.py": tmp_path / "main-fetched", "common/one.py": tmp_path / "one-fetched"}
    assert list_code("main.py", fetched.get) == {
        "common/one.py": tmp_path / "one-fetched",
        "main.py": tmp_path / "main-fetched",
    }


def test_imports_are_listed_with_the_imported_names(tmp_path):
    path = tmp_path / "main.py"
    path.write_text("# ümlaut\nimport common.one, sys\nfrom common.two import a, b as c\n", encoding="utf-8")
    assert find_imports(path) == [("common.one", []), ("common.two", ["a", "b"])]


def test_digest_changes_with_content_and_order_only(tmp_path):
    paths = [tmp_path / name for name in "ab"]
    for path, text in zip(paths, ("one", "two"), strict=True):
        path.write_text(text)
    before = digest(paths)
    assert len(before) == 16 and set(before) <= set("0123456789abcdef")
    moved = [path.rename(tmp_path / f"moved-{path.name}") for path in paths]
    assert digest(moved) == before
    assert digest(reversed(moved)) != before and digest(moved[:1]) != before
    moved[0].write_text("onet")
    moved[1].write_text("wo")
    assert digest(moved) != before


USED = """
import ast, importlib, pathlib, sys
for path in map(pathlib.Path, sys.argv[1:]):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] == "common":
            module = importlib.import_module(node.module)
            for alias in node.names:
                hasattr(module, alias.name) or importlib.import_module(f"{node.module}.{alias.name}")
"""


def test_configuration_is_read_with_the_listed_files_alone(tmp_path):
    """As in a workflow from git, of which only the listed files are fetched."""
    files = ["settings/__init__", "settings/sources", "workflow/messages", "workflow/provenance", "workflow/resources"]
    files += ["networks/architectures/notebook"]
    listed = {}
    for file in files:
        listed |= list_code(f"common/{file}.py", functools.partial(find_file, SCRIPTS))
    for name, path in listed.items():
        copy = tmp_path / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    read = [name for name in listed if name.startswith(("common/settings", "common/workflow"))]
    program = "from common.networks.architectures import load_architecture as load; load('notebook').layer_names"
    command = [sys.executable, "-c", USED + program, *read]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env={"PYTHONPATH": str(tmp_path)})
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("script", sorted(path.name for path in SCRIPTS.glob("*.py")))
def test_all_imports_of_a_script_are_in_its_code(script):
    listed = list_code(script, functools.partial(find_file, SCRIPTS))
    assert script in listed and len(listed) > 1
    for path in listed.values():
        for module, names in find_imports(path):
            place = module.replace(".", "/")
            assert {f"{place}.py", f"{place}/__init__.py"} & set(listed), f"{path} imports {module}"
            for name in names:
                assert f"{place}/{name}.py" in listed or not (SCRIPTS / place / f"{name}.py").exists()
