"""What the folders of a data set stand for: splits and classes."""

import pytest

from common.errors import UserError
from common.readers.layouts import find_split, find_splits


@pytest.mark.parametrize(
    ("split", "names"),
    [
        ("train", ["train", "Train", "TRAINING", "training_set", "Training Set", "train-images", "trainset", "trn"]),
        ("validation", ["val", "VALID", "validation", "dev", "val_set", "Validation data"]),
        ("test", ["test", "Testing", "test_set", "TEST-DATA", "tst"]),
        (None, ["trains", "testify", "evaluation", "set", "tested", "valley", "", "0", "train1"]),
    ],
)
def test_usual_names_of_splits(split, names):
    assert {find_split(name) for name in names} == {split}


def test_splits_have_classes_and_paths():
    paths = ["Testing/a/1.png", "Training/a/1.png", "Training/b/2.png", "valid/b/3.png"]
    assert find_splits("f", paths) == {
        "train": [("a", "Training/a/1.png"), ("b", "Training/b/2.png")],
        "validation": [("b", "valid/b/3.png")],
        "test": [("a", "Testing/a/1.png")],
    }


def test_images_in_folders_of_a_class_folder_belong_to_the_class(caplog):
    caplog.set_level("INFO")
    paths = ["train/cat/images/1.jpg", "train/dog/images/2.jpg", "train/dog/more/of/3.jpg", "train/dog/4.jpg"]
    (found,) = find_splits("f", paths).values()
    assert found == list(zip(["cat", "dog", "dog", "dog"], paths, strict=True))
    assert caplog.messages == [
        "3 images in folders within the class folders of f/train, such as cat/images/1.jpg, belong to these classes"
    ]


def test_images_outside_the_splits_are_left_out_with_a_warning(caplog):
    paths = ["copy/train/a/1.png", "plan.png", "test/a/1.png", "test/b/1.png", "train/a/1.png", "train/b/1.png"]
    splits = find_splits("f", paths)
    assert splits["train"] == [("a", "train/a/1.png"), ("b", "train/b/1.png")] and list(splits) == ["train", "test"]
    assert caplog.messages == [
        "warning: 2 images of f left out, in copy and the folder itself, since these are none of the splits test and "
        "train"
    ]


@pytest.mark.parametrize("names", ["train car bus", "test valid", "test training"])
def test_names_of_splits_can_be_those_of_classes(names):
    paths = sorted(f"{name}/{number}.png" for name in names.split() for number in range(2))
    splits = find_splits("f", paths)
    if names == "test training":  # which are splits, without classes
        assert splits == {"train": [(None, path) for path in paths[2:]], "test": [(None, path) for path in paths[:2]]}
    else:
        assert splits == {"train": [(path.split("/")[0], path) for path in paths]}


def test_two_forms_of_a_letter_are_one_class():
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    splits = find_splits("f", [f"test/{decomposed}/1.png", "test/a/1.png", f"train/{composed}/1.png", "train/a/1.png"])
    assert splits["test"][0] == (composed, f"test/{decomposed}/1.png") and splits["train"][0][0] == composed


@pytest.mark.parametrize(
    ("folders", "message"),
    [
        ("train/a train/b Training/a", "f has train and Training, and both are names of the train split. Merge or re"),
        ("train/a val/a valid/a", "f has val and valid, and both are names of the validation split. Merge or rename"),
        ("train/a train/b other", "f has train with class folders, as a split has, beside other. Move one of them aw"),
        ("test/a test/b valid/a valid/b", "f has test and valid with class folders, as splits have, but no folder na"),
        ("digits/a digits/b", "f has a single class folder, digits, with folders of its own (a and b). If these are "),
        ("train/digits/a train/digits/b", "f/train has a single class folder, digits, with folders of its own (a and"),
        ("a .", "f has images (1.png) beside its class folders. Move them into these."),
    ],
)
def test_folders_that_can_be_understood_in_two_ways_are_refused(folders, message):
    with pytest.raises(UserError) as raised:
        find_splits("f", [f"{name}/1.png".removeprefix("./") for name in folders.split()])
    assert f"{raised.value}".startswith(message)
