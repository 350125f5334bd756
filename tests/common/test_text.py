"""Words and numbers in sentences."""

import pytest

from common.text import count_noun, join_words


@pytest.mark.parametrize(
    ("items", "text"), [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c"), ([1, 2], "1 and 2")]
)
def test_items_are_joined_as_in_a_sentence(items, text):
    assert join_words(items) == text


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((1, "image"), "1 image"),
        ((0, "image"), "0 images"),
        ((1797, "image"), "1,797 images"),
        ((1, "axis", "axes"), "1 axis"),
        ((2, "axis", "axes"), "2 axes"),
    ],
)
def test_number_has_its_noun_in_the_singular_or_plural(arguments, text):
    assert count_noun(*arguments) == text
