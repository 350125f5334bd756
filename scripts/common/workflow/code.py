"""The code that a script runs: its own file and the modules that it imports."""

import ast
import functools
import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

PACKAGE = "common"  # of the modules in scripts/


@functools.cache
def find_imports(path: Path, package: str | None = PACKAGE) -> list[tuple[str, list[str]]]:
    """Return the modules of a package, or all, that a Python file imports, in functions too, each with its names."""
    imports = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imports += [(alias.name, []) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            imports.append((node.module, [alias.name for alias in node.names]))
    return [(module, names) for module, names in imports if package in (None, module.split(".")[0])]


def list_imports(path: Path) -> dict[str, Path]:
    """Return the files beside a user's Python file that it uses, at any depth, itself included, by their names there.

    There are none if one of them cannot be read as Python, which the job then reports.
    """
    try:
        return list_code(path.name, lambda name: file if (file := path.parent / name).is_file() else None, package=None)
    except (SyntaxError, ValueError, OSError):
        return {}


def list_code(file: str, fetch: Callable[[str], Path | None], package: str | None = PACKAGE) -> dict[str, Path]:
    """Return the files that a file in a folder uses, at any depth, itself included, by their names there.

    `fetch` returns the path of a file in the folder, or None if there is no such file. Imports of other packages than
    `package` are not followed, if it is given.
    """
    paths = {}

    def add(name: str) -> bool:
        if name not in paths:
            path = fetch(name)
            if path is None:
                return False
            paths[name] = path
            for module, names in find_imports(path, package):
                add_module(module, names)
        return True

    def add_module(module: str, names: list[str]) -> None:
        parts = module.split(".")
        for length in range(1, len(parts)):
            add(f"{'/'.join(parts[:length])}/__init__.py")
        folder = "/".join(parts)
        if not add(f"{folder}.py") and add(f"{folder}/__init__.py"):
            for name in names:  # a module or package in the package, or what its __init__.py defines
                add_module(f"{module}.{name}", [])

    add(file)
    return dict(sorted(paths.items()))


def digest(paths: Iterable[Path]) -> str:
    """Return a digest of the content of files, in this order."""
    digests = [hashlib.sha256(path.read_bytes()).digest() for path in paths]
    return hashlib.sha256(b"".join(digests)).hexdigest()[:16]
