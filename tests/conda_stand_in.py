"""A stand-in for conda and for conda-forge, where neither can be reached: real solving and linking, other packages.

The channel is made on the spot: the Python that runs this, and what pip has unpacked beside it of PyPI's wheels,
packed again as conda packages. Run as a script, this answers the calls that Snakemake makes of `conda`; py-rattler, the
library behind pixi, solves and links.
"""

import asyncio
import importlib.metadata
import json
import os
import platform
import re
import sys
import sysconfig
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path
from tarfile import TarInfo

import rattler
import yaml
from conda_package_streaming.create import conda_builder
from packaging.requirements import Requirement
from rattler.exceptions import SolverError
from rattler.index import index_fs

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
SITE_PACKAGES = f"lib/python{PYTHON}/site-packages"
SUBDIR = str(rattler.Subdir.current())
CONDA_NAMES = {"matplotlib": "matplotlib-base"}  # of a project of PyPI, where conda-forge's name is another


def pack(channel: Path, name: str, version: str, depends: list[str], files: list[tuple[str, Path]]) -> None:
    """Write a conda package into the channel, of `files`: where each belongs in an environment, and where it is now."""
    index = {"name": name, "version": version, "build": "0", "build_number": 0, "subdir": SUBDIR, "depends": depends}
    paths = [{"_path": path, "path_type": "hardlink", "size_in_bytes": source.stat().st_size} for path, source in files]
    documents = {"index.json": index, "paths.json": {"paths": paths, "paths_version": 1}}
    stem = f"{name}-{version}-0"
    with conda_builder(stem, channel / SUBDIR, compression_level=1) as package:
        for path, source in files:
            package.add(source.resolve(), path)
        for path, document in documents.items():
            text = json.dumps(document).encode()
            member = TarInfo(f"info/{path}")
            member.size = len(text)
            package.addfile(member, BytesIO(text))


def files_of_python() -> Iterable[tuple[str, Path]]:
    """The files of the running Python: the program, its library where it has one, and the standard library."""
    program = Path(sys.executable).resolve()
    yield from ((f"bin/{name}", program) for name in ("python", "python3", f"python{PYTHON}"))
    if sysconfig.get_config_var("Py_ENABLE_SHARED"):
        library = sysconfig.get_config_var("INSTSONAME")
        yield f"lib/{library}", Path(sysconfig.get_config_var("LIBDIR"), library)
    left_out = {"site-packages", "dist-packages", "test", "idlelib", "__pycache__", "sitecustomize.py"}
    folder = Path(sysconfig.get_path("stdlib"))
    for path in folder.rglob("*"):
        if path.is_file() and not left_out.intersection(path.relative_to(folder).parts):
            yield f"lib/python{PYTHON}/{path.relative_to(folder)}", path


def files_of_distribution(distribution: importlib.metadata.Distribution) -> Iterable[tuple[str, Path]]:
    """The files that pip has unpacked of a wheel, but for programs and headers, most of TensorFlow's files."""
    for path in distribution.files:
        source = Path(distribution.locate_file(path))
        if not {"..", "include"}.intersection(path.parts) and source.is_file():
            yield f"{SITE_PACKAGES}/{path}", source


def index(channel: Path) -> None:
    """Write the channel's index."""
    asyncio.run(index_fs(channel))


def conda_name(project: str) -> str:
    """The name of the conda package of a project of PyPI."""
    name = re.sub(r"[-_.]+", "-", project).lower()
    return CONDA_NAMES.get(name, name)


def make_channel(channel: Path, projects: Iterable[str]) -> None:
    """Make a channel of Python, of the projects (names of PyPI) and of all that they depend on."""
    (channel / SUBDIR).mkdir(parents=True)
    customize = channel / "sitecustomize.py"  # since Debian's Python looks for packages elsewhere
    customize.write_text(f"import site, sys\nsite.addsitedir(f'{{sys.prefix}}/{SITE_PACKAGES}')\n")
    files = [*files_of_python(), (f"lib/python{PYTHON}/sitecustomize.py", customize)]
    packages = [("python", platform.python_version(), [], files)]
    waiting, seen = list(projects), set()
    while waiting:
        distribution = importlib.metadata.distribution(waiting.pop())
        name = conda_name(distribution.name)
        if name in seen:
            continue
        seen.add(name)
        requirements = [Requirement(line) for line in distribution.requires or []]
        needed = [need.name for need in requirements if not need.marker or need.marker.evaluate({"extra": ""})]
        waiting += needed
        # of each project the channel has one version, so that names are enough
        depends = [f"python {PYTHON}.*", *map(conda_name, needed)]
        packages.append((name, distribution.version, depends, list(files_of_distribution(distribution))))
    packages.sort(
        key=lambda package: len(package[-1]), reverse=True
    )  # the longest first, for two cores to end together
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        list(pool.map(partial(pack, channel), *zip(*packages, strict=True)))
        pool.submit(index, channel).result()  # Playwright's event loop runs in this process after tests of the explorer


def install(conda: Path) -> None:
    """Put the stand-in into the folder `conda`, which has its channel as `channel`."""
    (conda / "bin").mkdir()
    program = conda / "bin/conda"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{__file__}" "{conda}" "$@"\n')
    program.chmod(0o755)
    (conda / "bin/activate").write_text('export CONDA_PREFIX="$1" PATH="$1/bin:$PATH"\n')


async def create(conda: Path, specification: Path, prefix: Path) -> None:
    """Solve and link an environment; raises SolverError or ValueError where that cannot be."""
    environment = yaml.safe_load(specification.read_text())
    if environment["channels"] != ["conda-forge"]:
        raise ValueError(f"these channels are not here: {environment['channels']}")
    records = await rattler.solve(
        [(conda / "channel").as_uri()],
        environment["dependencies"],
        platforms=[SUBDIR, "noarch"],
        virtual_packages=rattler.VirtualPackage.detect(),
    )
    await rattler.install(records, prefix, cache_dir=conda / "cache", show_progress=False)


def main(conda: Path, *arguments: str) -> None:
    """Answer a call of conda."""
    match arguments:
        case ["info", "--json"]:
            print(json.dumps({"conda_prefix": str(conda), "platform": SUBDIR}))
        case ["--version"]:
            print("conda 26.5.3")
        case ["config", "--get", "channel_priority", "--json"]:
            print(json.dumps({"get": {"channel_priority": "strict"}}))
        case ["env", "create", "--quiet", "--no-default-packages", "--file", specification, "--prefix", prefix]:
            try:
                asyncio.run(create(conda, Path(specification), Path(prefix)))
            except (SolverError, ValueError) as error:
                print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
                os._exit(1)
            os._exit(0)  # threads of py-rattler can crash a Python that ends in the usual way
        case ["clean", "-y", "--tarballs"]:
            for tarball in (conda / "cache").glob("*.conda"):
                tarball.unlink()
        case _:
            sys.exit(f"the stand-in for conda does not know this call: {arguments}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
