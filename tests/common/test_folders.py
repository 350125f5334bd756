"""The files of a folder, what among them is litter, and the digest that changes as they do."""

import os

import pytest

from common.folders import digest_files, list_files


@pytest.fixture
def folder(tmp_path):
    for name in ("b/2.png", "b/10.png", "b c/1.png", "a.png"):
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / name).write_bytes(b"1234")
    return tmp_path / "data"


def test_files_are_listed_folder_by_folder_without_litter(folder):
    for name in (".hidden", "b/desktop.ini", "b/THUMBS.DB", "notes.Md"):
        (folder / name).touch()
    (folder / "@eaDir/b").mkdir(parents=True)
    (folder / "@eaDir/b/2.png").touch()
    (folder / "none").mkdir()
    (folder / "class.txt").mkdir()
    (folder / "class.txt/3.png").touch()
    files, litter = list_files(folder)
    assert files == ["a.png", "b/10.png", "b/2.png", "b c/1.png", "class.txt/3.png"]
    assert litter == {
        "hidden": 1,
        "desktop.ini": 1,
        "THUMBS.DB": 1,
        ".md": 1,
        "@eaDir": 1,
        "empty folder": 1,
    }


def test_links_are_followed_but_not_in_a_circle(folder, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/5.png").touch()
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    (folder / "b/circle").symlink_to(folder)
    (folder / "nowhere.png").symlink_to(tmp_path / "nowhere")
    assert list_files(folder).files == ["a.png", "b/10.png", "b/2.png", "b c/1.png", "linked/5.png", "nowhere.png"]
    assert digest_files(folder)


@pytest.mark.parametrize("change", ["size", "time", "name", "another", "fewer", "elsewhere"])
def test_digest_changes_with_the_files(folder, change):
    before, path = digest_files(folder), folder / "b/2.png"
    status = path.stat()
    if change == "size":
        path.write_bytes(b"12345")
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    elif change == "time":
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    elif change == "name":
        path.rename(folder / "b/3.png")
    elif change == "elsewhere":
        path.rename(folder / "b c/2.png")
    elif change == "another":
        (folder / "b/3.png").touch()
    else:
        path.unlink()
    assert digest_files(folder) != before


def test_digest_is_the_same_with_litter_and_in_another_place(folder, tmp_path):
    before = digest_files(folder)
    (folder / "b/.DS_Store").touch()
    (folder / "readme.txt").write_text("more")
    folder.rename(tmp_path / "moved")
    assert digest_files(tmp_path / "moved") == before and len(before) == 16


def test_folder_that_cannot_be_read_has_no_digest(folder):
    assert digest_files(folder / "missing") is None and digest_files(folder / "a.png") is None
