"""Folders of images: their classes, splits, modes and sizes."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.io import imsave

from common.errors import UserError
from common.readers.folder import read

GENERATOR = np.random.default_rng(0)
COLORED = GENERATOR.integers(0, 256, (12, 6, 9, 3)).astype(np.uint8)
GRAY = COLORED[..., 0]


def save(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    imsave(path, image, check_contrast=False)
    return path


def load(folder, size=None, **options):
    """Return the images of a folder by split, and its splits."""
    splits = read(str(folder), size, **options)
    return {name: np.concatenate(list(split.images.blocks())) for name, split in splits.items()}, splits


@pytest.fixture
def folder(tmp_path):
    """A folder of four colored images in each of three classes."""
    for number, image in enumerate(COLORED):
        save(tmp_path / "images" / f"class {number % 3}" / f"{number:03}.png", image)
    return tmp_path / "images"


def test_images_are_read_by_class_and_name(folder):
    images, splits = load(folder)
    assert splits["train"].labels.tolist() == [f"class {number}" for number in range(3) for _ in range(4)]
    assert np.array_equal(images["train"] * 256, np.concatenate([COLORED[number::3] for number in range(3)]))
    assert list(splits) == ["train"] and splits["train"].images.shape == (12, 6, 9, 3)


def test_images_are_read_in_blocks_and_counted(folder, monkeypatch, caplog):
    caplog.set_level("INFO")
    monkeypatch.setattr("common.readers.streams.BLOCK_BYTES", 5 * 6 * 9 * 3 * 4)
    (split,) = read(str(folder)).values()
    assert [len(block) for block in split.images.blocks()] == [5, 5, 2]
    assert caplog.messages == ["5 of 12 images", "10 of 12 images", "12 of 12 images"]


@pytest.mark.parametrize("validation", ["val", "validation"])
def test_folders_named_like_splits_are_splits(tmp_path, validation):
    for number, name in enumerate(("train", validation, "test")):
        for label in "ab":
            save(tmp_path / name / label / "1.png", GRAY[number])
    images, splits = load(tmp_path)
    assert set(splits) == {"train", "validation", "test"}
    for number, split in enumerate(("train", "validation", "test")):
        assert np.array_equal(images[split] * 256, np.stack([GRAY[number, ..., None]] * 2))
        assert splits[split].labels.tolist() == ["a", "b"]


@pytest.mark.parametrize("names", [("train", "other"), ("test", "validation")])
def test_other_folders_are_classes_whatever_their_names(tmp_path, names):
    for name in names:
        save(tmp_path / name / "1.png", GRAY[0])
    assert read(str(tmp_path))["train"].labels.tolist() == sorted(names)


def test_split_without_classes_has_no_labels(tmp_path):
    save(tmp_path / "train/1.png", GRAY[0])
    (split,) = read(str(tmp_path)).values()
    assert split.labels is None and split.images.shape == (1, 6, 9, 1)


def test_hidden_files_and_files_of_other_kinds_are_ignored(folder):
    save(folder / ".hidden/1.png", GRAY[0])
    save(folder / "class 0/.hidden.png", GRAY[0])
    (folder / "class 0/notes.txt").touch()
    (folder / "notes.txt").touch()
    assert len(load(folder)[0]["train"]) == 12


@pytest.mark.parametrize("suffix", [".png", ".PNG", ".jpg", ".jpeg", ".JPG"])
def test_suffixes_of_images(tmp_path, suffix):
    save(tmp_path / f"1{suffix}", np.full((6, 9), 128, np.uint8))
    assert (load(tmp_path)[0]["train"] == 0.5).all()


def test_gray_images_have_one_channel(tmp_path):
    save(tmp_path / "1.png", GRAY[0])
    save(tmp_path / "2.png", (GRAY[1] > 99).astype(np.uint8) * 255)
    Image.fromarray(GRAY[1] > 99).save(tmp_path / "3.png")
    save(tmp_path / "4.png", GRAY[2].astype(np.uint16) * 256)
    images = load(tmp_path)[0]["train"]
    assert images.shape == (4, 6, 9, 1) and images.dtype == np.float32
    assert np.array_equal(images[0, ..., 0] * 256, GRAY[0])
    assert np.array_equal(images[1, ..., 0], (GRAY[1] > 99) * np.float32(255 / 256))
    assert np.array_equal(images[2, ..., 0], GRAY[1] > 99)
    assert np.array_equal(images[3, ..., 0] * 256, GRAY[2])


@pytest.mark.parametrize("mode", ["L", "1", "I;16"])
def test_gray_images_beside_colored_ones_get_three_channels(tmp_path, mode):
    save(tmp_path / "1.png", COLORED[0])
    arrays = {"L": GRAY[1], "1": GRAY[1] > 99, "I;16": GRAY[1].astype(np.uint16) * 256}
    Image.fromarray(arrays[mode]).save(tmp_path / "2.png")
    assert Image.open(tmp_path / "2.png").mode == mode
    images = load(tmp_path)[0]["train"]
    assert images.shape == (2, 6, 9, 3) and np.array_equal(images[0] * 256, COLORED[0])
    expected = GRAY[1] > 99 if mode == "1" else GRAY[1] / np.float32(256)
    assert all(np.array_equal(images[1, ..., channel], expected) for channel in range(3))


def test_palettes_are_colors(tmp_path):
    image = Image.fromarray(COLORED[0]).quantize(7)
    image.save(tmp_path / "1.png")
    images = load(tmp_path)[0]["train"]
    assert np.array_equal(images[0] * 256, np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("channels", [1, 3])
def test_transparent_images_are_drawn_on_white(tmp_path, channels):
    image = np.zeros((6, 9, channels + 1), np.uint8)
    image[:3, :, -1] = 255  # black above, transparent below, and between the two in the last row
    image[5, :, -1] = 51
    save(tmp_path / "1.png", image)
    images = load(tmp_path)[0]["train"]
    assert images.shape == (1, 6, 9, channels)
    assert (images[0, :3] == 0).all() and (images[0, 3:5] == np.float32(255 / 256)).all()
    assert np.allclose(images[0, 5], 0.8 * 255 / 256)


def test_images_are_resized_to_a_given_size(folder):
    save(folder / "extra/large.jpg", np.full((60, 90, 3), 64, np.uint8))
    save(folder / "extra/small.png", np.full((1, 2, 3), 64, np.uint8))
    with pytest.raises(UserError, match=r"large\.jpg is 60 x 90 pixels high and wide, the first image 6 x 9\. Set si"):
        read(str(folder))
    images = load(folder, (3, 4))[0]["train"]
    assert images.shape == (14, 3, 4, 3) and images.dtype == np.float32
    assert np.allclose(images[-2:], 0.25, atol=0.01)
    assert images.min() >= 0 and images.max() <= 1


def test_images_of_another_size_in_another_split_are_refused(tmp_path):
    save(tmp_path / "train/1.png", GRAY[0])
    save(tmp_path / "test/1.png", GRAY[0].T)
    with pytest.raises(UserError, match=r"test/1\.png is 9 x 6 pixels high and wide, the first image 6 x 9"):
        read(str(tmp_path))


def test_resized_image_keeps_its_content(tmp_path):
    left = np.zeros((20, 40), np.uint8)
    left[:, :20] = 200
    save(tmp_path / "1.png", left)
    images = load(tmp_path, (10, 20))[0]["train"]
    assert np.allclose(images[0, :, :8], 200 / 256) and np.allclose(images[0, :, 12:], 0)


def test_fine_pattern_is_averaged_as_it_is_made_smaller(tmp_path):
    stripes = np.zeros((25, 25), np.uint8)
    stripes[:, ::2] = 200
    save(tmp_path / "1.png", stripes)
    images = load(tmp_path, (5, 5))[0]["train"]
    assert np.allclose(images, 100 / 256, atol=0.05)


def test_folders_that_are_not_a_data_set_are_refused(folder, tmp_path):
    (tmp_path / "none").mkdir()
    with pytest.raises(UserError, match=r"none has no images of a format that Pillow reads\. It is empty\."):
        read(str(tmp_path / "none"))
    save(folder / "alone.png", COLORED[0])
    with pytest.raises(UserError, match=r"images has images \(alone\.png\) beside its class folders\. Move them"):
        read(str(folder))
    with pytest.raises(UserError, match=r"missing does not exist\. Check the path in the configuration"):
        read(str(tmp_path / "missing"))
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"file cannot be read \(NotADirectoryError"):
        read(str(tmp_path / "file"))


@pytest.mark.parametrize("size", [20, 150])  # in the header, and in the pixels
def test_truncated_image_is_named(folder, size):
    path = folder / "class 1/004.png"
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(UserError, match=r"1 of 12 images of .*images cannot be read: class 1/004\.png \("):
        read(str(folder))


def test_damaged_images_are_all_named_at_once_or_left_out(folder, caplog):
    damaged = [path for path in sorted(folder.glob("*/*.png")) if path.stem not in ("000", "011")]
    (folder / "class 1/page.jpg").write_text("<html>404 Not Found</html>")
    for path in damaged:
        path.write_bytes(b"")
    with pytest.raises(UserError) as raised:
        read(str(folder))
    message = f"{raised.value}"
    assert message.startswith(f"11 of 13 images of {folder} cannot be read: class 0/003.png (UnidentifiedImageError: ")
    assert message.count("UnidentifiedImageError") == 10 and " and 1 other. Replace or remove them, or set" in message
    images, splits = load(folder, skip_damaged=True)
    assert splits["train"].files == ["class 0/000.png", "class 2/011.png"]
    assert splits["train"].labels.tolist() == ["class 0", "class 2"]
    assert np.array_equal(images["train"] * 256, COLORED[[0, 11]])
    assert "11 of 13 images" in caplog.text and "left out (skip_damaged)" in caplog.text
    for path in folder.glob("*/*.png"):
        path.write_bytes(b"")
    with pytest.raises(UserError, match=r"13 of 13 images of"):
        read(str(folder), skip_damaged=True)


def test_damaged_training_split_is_no_data_set(tmp_path):
    save(tmp_path / "test/1.png", GRAY[0])
    (tmp_path / "train").mkdir()
    (tmp_path / "train/1.png").touch()
    with pytest.raises(UserError, match=r"has no training image that is not damaged\. Replace"):
        read(str(tmp_path), skip_damaged=True)


def test_what_is_no_image_is_ignored_and_counted_by_kind(folder, caplog):
    caplog.set_level("INFO")
    for name in (".DS_Store", "Thumbs.db", "class 0/._000.png", "class 0/notes.TXT", "class 1/a.npy", "class 1/b.npy"):
        (folder / name).write_bytes(b"\x00\x05\x16\x07")
    for name in ("__MACOSX/class 0", "empty"):
        (folder / name).mkdir(parents=True)
    save(folder / "__MACOSX/class 0/1.png", GRAY[0])
    (folder / "photos").mkdir()
    for number in range(3):
        (folder / f"photos/{number}.heic").write_bytes(b"\x00\x00\x00\x18ftypheic")
    assert len(load(folder)[0]["train"]) == 12
    assert caplog.messages[:2] == [
        f"ignored in {folder}, since they are no images: 3 .heic, 2 .npy, 1 .txt, 1 Thumbs.db, 1 __MACOSX, "
        "1 empty folder and 2 hidden",
        f"warning: no images are in photos of {folder}: left out",
    ]


def test_litter_is_counted_in_the_log_only(folder, caplog):
    caplog.set_level("DEBUG", "workflow")
    (folder / "class 0/.DS_Store").touch()
    read(str(folder))
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("DEBUG", f"ignored in {folder}, since they are no images: 1 hidden")
    ]


def test_image_is_known_by_its_content_and_named_by_its_path(folder):
    path = folder / "class 1/004.png"
    Image.open(path).save(path, format="GIF")
    Image.open(folder / "class 0/000.png").save(folder / "class 2/without suffix", format="BMP")
    images, splits = load(folder)
    files = splits["train"].files
    assert len(files) == 13 and files[5] == "class 1/004.png" and files[12] == "class 2/without suffix"
    assert np.array_equal(images["train"][12] * 256, COLORED[0])


def test_name_that_is_not_utf_8_is_refused(folder):
    save(Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9/1.png")), COLORED[0])
    with pytest.raises(UserError, match=r"has the name 'caf\\udce9/1\.png', which is not UTF-8\. Rename it\.$"):
        read(str(folder))


def test_chosen_rows_are_read_without_the_others(folder, monkeypatch):
    stream = read(str(folder))["train"].images
    (folder / "class 0/000.png").unlink()
    blocks = list(stream.take(np.array([1, 11])))
    assert np.array_equal(np.concatenate(blocks) * 256, COLORED[[3, 11]])
