"""Words and numbers in sentences."""

from collections.abc import Sequence


def join_words(items: Sequence[object]) -> str:
    """Return items as a list in a sentence: "a", "a and b", "a, b and c"."""
    *first, last = map(str, items)
    return f"{', '.join(first)} and {last}" if first else last


def count_noun(count: int, singular: str, plural: str = "") -> str:
    """Return a number with its noun, such as "1 image" or "1,797 images"."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def join_some(items: Sequence[object], most: int = 10) -> str:
    """Return items as a list in a sentence, at most so many: "a, b and 3 others"."""
    left_out = len(items) - most
    if left_out <= 0:
        return join_words(items)
    return join_words([", ".join(map(str, items[:most])), count_noun(left_out, "other")])
