"""The files in a user's folder: their names, what among them is litter, and a digest that changes as they do.

Snakemake computes the digest with its own Python, so this needs the standard library only.
"""

import hashlib
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

# What operating systems and programs leave in folders, in lower case; names that begin with a dot are litter, too.
LITTER_NAMES = (
    *("__macosx", "__pycache__", "@eadir", "$recycle.bin", "system volume information", "lost+found"),
    *("desktop.ini", "ehthumbs.db", "thumbs.db", "icon\r"),
)
TEXT_SUFFIXES = (
    *(".csv", ".htm", ".html", ".json", ".log", ".md", ".py"),
    *(".rst", ".tsv", ".txt", ".xml", ".yaml", ".yml"),
)


class Listing(NamedTuple):
    """The files in a folder at any depth, without litter, and the litter by its kind."""

    files: list[str]  # paths relative to the folder, with "/", sorted folder by folder
    litter: Counter[str]


def describe_litter(entry: os.DirEntry) -> str | None:
    """Return the kind of litter that a file or folder is by its name, or None."""
    if entry.name.startswith("."):
        return "hidden"
    name = entry.name.lower()
    if name in LITTER_NAMES:
        return entry.name.strip()
    return Path(name).suffix if name.endswith(TEXT_SUFFIXES) and not entry.is_dir() else None


def walk_files(
    folder: str | Path, litter: Counter[str], prefix: str = "", above: tuple[tuple[int, int], ...] = ()
) -> Iterator[tuple[str, os.DirEntry]]:
    """Yield the relative path and the entry of each file in a folder at any depth; count litter by kind.

    Links are followed, but not to a folder that they are in: `above` identifies the folders on the way. A link that
    leads nowhere is a file.
    """
    status = Path(folder).stat()
    identity = (status.st_dev, status.st_ino)
    if identity in above:
        return
    with os.scandir(folder) as entries:
        content = list(entries)
    if prefix and not content:
        litter["empty folder"] += 1
    for entry in content:
        kind = describe_litter(entry)
        if kind:
            litter[kind] += 1
        elif entry.is_dir():
            yield from walk_files(entry.path, litter, f"{prefix}{entry.name}/", (*above, identity))
        elif entry.is_file() or entry.is_symlink():
            yield f"{prefix}{entry.name}", entry
        else:
            litter["special file"] += 1


def list_files(folder: str | Path) -> Listing:
    """Return the files in a folder and its litter; raises OSError if it, or a folder in it, cannot be read."""
    litter = Counter()
    paths = [path for path, _ in walk_files(folder, litter)]
    return Listing(sorted(paths, key=lambda path: path.split("/")), litter)


def digest_files(folder: str | Path) -> str | None:
    """Return a digest of the names, sizes and times of the files in a folder; None if it cannot be read."""
    lines = []
    try:
        for path, entry in walk_files(folder, Counter()):
            status = entry.stat(follow_symlinks=entry.is_file())  # a link that leads nowhere has a time itself
            lines.append(os.fsencode(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\n"))
    except OSError:
        return None
    return hashlib.sha256(b"".join(sorted(lines))).hexdigest()[:16]
