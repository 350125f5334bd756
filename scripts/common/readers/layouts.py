"""What the folders in a data set's folder stand for: splits, and the classes in them."""

import logging
import re
import unicodedata
from collections.abc import Mapping, Sequence

from common.errors import UserError
from common.names import SPLITS
from common.text import count_noun, join_some, join_words

log = logging.getLogger("workflow")

SPLIT_NAME = re.compile(
    r"(?P<train>train|training|trn)|(?P<validation>val|valid|validation|dev)|(?P<test>test|testing|tst)"
)
SPLIT_NOUN = re.compile(r"[ _.-]?(set|split|data|images)$")  # that may end the name of a split


def find_split(name: str) -> str | None:
    """Return the split that a folder is by its name, in any case, or None."""
    match = SPLIT_NAME.fullmatch(SPLIT_NOUN.sub("", name.lower()))
    return match.lastgroup if match else None


def group_by_folder(paths: Sequence[str]) -> dict[str, list[str]]:
    """Return paths by the first folder in them, without it; those of files directly here are under the empty name."""
    groups = {}
    for path in paths:
        name, slash, rest = path.partition("/")
        groups.setdefault(name if slash else "", []).append(rest if slash else path)
    return groups


def find_splits(folder: str, paths: Sequence[str]) -> dict[str, list[tuple[str | None, str]]]:
    """Return the class and the path of each image by split, from the paths of the images relative to a folder.

    The folders are splits if their names are those of splits, with one for training, else classes. An image in a
    folder within a class folder belongs to this class. Without class folders the class is None. Raises UserError if
    the folders can be understood in more than one way.
    """
    groups = group_by_folder(paths)
    names = choose_split_folders(folder, groups)
    if not names:
        return {"train": find_classes(folder, paths)}
    outside = [name for name in groups if name not in names]
    if outside:
        count = sum(len(groups[name]) for name in outside)
        places = [name or "the folder itself" for name in outside]
        log.warning(
            "warning: %s of %s left out, in %s, since these are none of the splits %s",
            *(count_noun(count, "image"), folder, join_some(places), join_words(list(names))),
        )
    splits = {}
    for name, split in names.items():
        found = find_classes(f"{folder}/{name}", groups[name])
        splits[split] = [(label, f"{name}/{path}") for label, path in found]
    return {split: splits[split] for split in SPLITS if split in splits}


def choose_split_folders(folder: str, groups: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the split of each folder that is one, by the folder's name; none if the folders are classes.

    `groups` are the images by folder. Beside folders that are no splits, a split must have class folders itself.
    """
    folders = [name for name in groups if name]
    splits = {name: split for name in folders if (split := find_split(name))}
    others = [name for name in folders if name not in splits]
    with_classes = [name for name in splits if len(set(group_by_folder(groups[name])) - {""}) > 1]
    if not with_classes and (others or "train" not in splits.values()):
        return {}
    if "train" not in splits.values():
        raise UserError(
            f"{folder} has {join_some(with_classes)} with class folders, as splits have, but no folder named train. "
            "Name that of the training images so."
        )
    if others and len({splits[name] for name in with_classes}) < 2:
        raise UserError(
            f"{folder} has {with_classes[0]} with class folders, as a split has, beside {join_some(others)}. "
            "Move one of them away, or rename it."
        )
    for split in splits.values():
        same = [name for name in splits if splits[name] == split]
        if len(same) > 1:
            raise UserError(
                f"{folder} has {join_words(same)}, and both are names of the {split} split. Merge or rename them."
            )
    return splits


def find_classes(folder: str, paths: Sequence[str]) -> list[tuple[str | None, str]]:
    """Return the class and the path of each image in a folder of class folders, or None as the class without them."""
    groups = group_by_folder(paths)
    direct = groups.pop("", [])
    if groups and direct:
        raise UserError(f"{folder} has images ({direct[0]}) beside its class folders. Move them into these.")
    if not groups:
        return [(None, path) for path in direct]
    if len(groups) == 1:
        ((name, rest),) = groups.items()
        inner = sorted(set(group_by_folder(rest)) - {""})
        if len(inner) > 1:
            raise UserError(
                f"{folder} has a single class folder, {name}, with folders of its own ({join_some(inner)}). "
                f"If these are the classes or the splits, set folder to {folder}/{name}, or move them up."
            )
    deeper = [path for path in paths if path.count("/") > 1]
    if deeper:
        log.info(
            "%s in folders within the class folders of %s, such as %s, belong to these classes",
            *(count_noun(len(deeper), "image"), folder, deeper[0]),
        )
    # The same letter may be stored in two ways: by a Mac, and by others.
    return [(unicodedata.normalize("NFC", path.split("/")[0]), path) for path in paths]
