"""Errors that a user can mend: what they say, and which errors become one."""

import errno

import numpy as np
import pytest

from common.errors import (
    UserError,
    as_user_error,
    describe_error,
    format_shape,
    rebuild_hint,
    report_corrupt_file,
    report_unreadable_file,
    suggest,
)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("a\n  b"), "ValueError: a b"),
        (UserError("labels.txt has\n2 lines."), "labels.txt has 2 lines."),
        (ValueError("x" * 300), f"ValueError: {'x' * 200}"),
        (UserError("x" * 300), "x" * 300),
        (IndexError(), "IndexError: "),
    ],
)
def test_error_is_described_in_one_short_line(error, text):
    assert describe_error(error) == text


@pytest.mark.parametrize(
    ("name", "names", "sentence"),
    [
        ("conv3", ["pixel", "conv1", "dense"], "Did you mean conv1?"),
        ("VIRIDIS", ["magma", "viridis"], "Did you mean viridis?"),
        ("Conv1", ["CONV1"], "Did you mean CONV1?"),
        (12, [1, 123], "Did you mean 123?"),
        ("xyz", ["pixel", "conv1"], "Available: pixel, conv1."),
        ("", ["pixel", 2], "Available: pixel, 2."),
    ],
)
def test_nearest_name_is_suggested_or_all_are_listed(name, names, sentence):
    assert suggest(name, names) == sentence
    assert suggest(name, iter(names)) == sentence


@pytest.mark.parametrize(
    ("shape", "text"),
    [((28, 28, 1), "28 x 28 x 1"), ((60_000, 784), "60,000 x 784"), ((None, 5), "any x 5"), ((0,), "0"), ((), "")],
)
def test_shape_is_formatted(shape, text):
    assert format_shape(shape) == text


def test_error_of_the_block_becomes_a_user_error_with_its_reason():
    cause = ValueError("bad")
    with pytest.raises(UserError, match=r"^a \(ValueError: bad\)$") as raised, as_user_error(lambda r: f"a ({r})"):
        raise cause
    assert raised.value.__cause__ is cause
    with pytest.raises(UserError, match=r"^a bad$"), as_user_error(lambda r: f"a {r}"):
        raise UserError("bad")


def test_reason_can_be_explained_otherwise():
    with (
        pytest.raises(UserError, match=r"^a KeyError$"),
        as_user_error("a {}".format, lambda error: type(error).__name__),
    ):
        raise KeyError("b")


def test_block_without_an_error_is_left_alone():
    with as_user_error(lambda reason: pytest.fail(reason)):
        pass


@pytest.mark.parametrize("kept", [UserError("ours"), FileNotFoundError(errno.ENOENT, "missing")])
def test_errors_of_kept_types_pass_unchanged(kept):
    with pytest.raises(type(kept)) as raised, as_user_error(str, keep=(UserError, FileNotFoundError)):
        raise kept
    assert raised.value is kept
    with pytest.raises(UserError, match=r"^ValueError: bad$"), as_user_error(str, keep=(UserError, FileNotFoundError)):
        raise ValueError("bad")


def test_want_of_memory_is_not_blamed_on_the_file():
    with pytest.raises(MemoryError, match=r"^all$"), as_user_error(str):
        raise MemoryError("all")
    with pytest.raises(MemoryError, match="Cannot allocate memory") as raised, as_user_error(str):
        raise OSError(errno.ENOMEM, "Cannot allocate memory")
    assert isinstance(raised.value.__cause__, OSError)
    with pytest.raises(UserError, match="OSError"), as_user_error(str):
        raise OSError(errno.EIO, "Input/output error")


def test_interruption_passes_unchanged():
    with pytest.raises(KeyboardInterrupt), as_user_error(str):
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError("bad"), "a.npy cannot be read (ValueError: bad). Check its format and its permissions."),
        (
            PermissionError(errno.EACCES, "no"),
            "a.npy cannot be read (PermissionError: [Errno 13] no). Check its format",
        ),
        (FileNotFoundError(errno.ENOENT, "no"), "a.npy does not exist. Check the path in the configuration."),
        (UserError("ours"), "ours"),
    ],
)
def test_file_of_the_user_that_cannot_be_read_is_named(error, message):
    with pytest.raises(UserError) as raised, report_unreadable_file("a.npy"):
        raise error
    assert f"{raised.value}".startswith(message)


def test_want_of_memory_for_a_file_is_reported_as_such():
    for report in (report_unreadable_file, report_corrupt_file):
        with pytest.raises(MemoryError), report("a.npy"):
            np.empty(2**60, np.uint8)


def test_damaged_file_of_the_workflow_is_named_with_the_command_that_rebuilds_it():
    for error, reason in ((ValueError("bad"), "ValueError: bad"), (FileNotFoundError("no"), "FileNotFoundError: no")):
        with pytest.raises(UserError) as raised, report_corrupt_file("maps/a.npy"):
            raise error
        hint = "Rebuild: snakemake --cores all --force maps/a.npy"
        assert f"{raised.value}" == f"maps/a.npy is damaged ({reason}). {hint}"
    assert rebuild_hint("a", "b") == "Rebuild: snakemake --cores all --force a b"
