"""Labels from files: a .npy file, text with one label a line, or a column of a table."""

import codecs
import csv
import io
import logging
import re
from pathlib import Path
from typing import NoReturn

import numpy as np

from common.errors import UserError, report_unreadable_file, suggest
from common.readers.contents import describe_content, refuse_content
from common.readers.labels import NUMBER, as_labels, check_count, interpret_words
from common.readers.streams import is_npy, stream_npy
from common.text import count_noun

log = logging.getLogger("workflow")

TABLES = {".csv": ",", ".tsv": "\t"}  # suffixes of tables, and their usual delimiters
DELIMITERS = (",", ";", "\t")
NEWLINE = r"\r\n|\r|\n"
NUMBERS = r"[+-]?[0-9.]\S*( +[+-]?[0-9.]\S*)+"  # with blanks between them
Fields = tuple[int, list[str]]  # number of a line in its file, and its fields
Word = tuple[int, str]  # number of a line in its file, and its label


def read_labels(path: str, count: int, row: str = "row", column: str | None = None) -> np.ndarray:
    """Return labels (count,), int64 or strings, from a .npy file or a text file; those of text are strings.

    `row` is a noun for what is labeled. With the name of a `column`, the file is a table with a header. Without, a
    first line that is one too many, and is the label of no other line, is a header. Empty lines at the end are left
    out.
    """
    with report_unreadable_file(path):
        with open(path, "rb") as file:
            is_array = is_npy(file)
        if is_array or Path(path).suffix == ".npy":
            if column is not None:
                raise UserError(f"{path} has no columns. Remove column.")
            return as_labels(stream_npy(path), count, row)
        text = drop_empty_end(path, read_text(path))
        if not text:
            raise UserError(f"{path} has no labels. Give each {row} one.")
        words = read_words(path, text) if column is None else read_column(path, text, column)
    for number, word in words:
        if not word:
            raise UserError(f"{path}, line {number} has no label. Give each {row} one.")
    if column is None:
        words = drop_header(path, words, count, row)
    check_count(path, len(words), "line", count, row)
    labels = np.array([word for _, word in words], np.str_)
    return interpret_words(labels, path, lambda index: f"{path}, line {words[index][0]}")


def read_text(path: str) -> str:
    """Return the text of a file in UTF-8 or, with a byte-order mark, UTF-16; without byte-order marks.

    Raises UserError if it is not text.
    """
    what, _ = describe_content(path)
    if not what.startswith("it begins with"):
        refuse_content(path, "text file")
    content = Path(path).read_bytes()
    is_utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = content.decode("utf-16" if is_utf16 else "utf-8").replace("\ufeff", "")
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is no text in UTF-8 ({what}). Save it as UTF-8.") from error
    if "\0" in text:
        raise UserError(f"{path} is no text in UTF-8 ({what}). Save it as UTF-8.")
    return text


def drop_empty_end(path: str, text: str) -> str:
    """Return a text without the empty lines at its end, and without the end of its last line."""
    end = len(text.rstrip())
    last, *empty = re.split(NEWLINE, text[end:])
    dropped = len(empty) - (empty[-1:] == [""])  # the last line may end with a newline
    if dropped > 0:
        log_dropped(path, dropped)
    return text[:end] + last


def log_dropped(path: str, count: int) -> None:
    """Say how many empty lines at the end of a file are left out."""
    log.info("%s: %s at the end left out", path, count_noun(count, "empty line"))


def split_line(line: str, delimiter: str) -> list[str]:
    """Return the fields of one line, without quotes and surrounding blanks; an empty line has none."""
    return [field.strip() for field in next(csv.reader([line], delimiter=delimiter), [])]


def split_table(path: str, text: str, delimiter: str) -> list[Fields]:
    """Return the fields of each line of a table, as `split_line`; fields in quotes may have several lines.

    Raises UserError with the line if quotes are not closed.
    """
    reader, lines, number = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), [], 1
    try:
        for fields in reader:
            lines.append((number, [field.strip() for field in fields]))
            number = reader.line_num + 1
    except csv.Error as error:
        raise UserError(f"{path}, line {number} has wrong quotes ({error}). Close or double them.") from error
    return lines


def read_words(path: str, text: str) -> list[Word]:
    """Return the labels of a file with one in each line; raises UserError if it has several columns.

    A file has several columns if all lines have the same number of fields, or if it is a .csv or .tsv file and any line
    has more than one.
    """
    lines = re.split(NEWLINE, text)
    if all(re.fullmatch(NUMBERS, line.strip()) for line in lines):
        refuse_columns(path, 1, len(lines[0].split()), " ")
    for delimiter in DELIMITERS:
        if all(delimiter in line for line in lines):
            widths = {len(split_line(line, delimiter)) for line in lines}
            if len(widths) == 1 and max(widths) > 1:
                refuse_columns(path, 1, max(widths), delimiter)
    usual = TABLES.get(Path(path).suffix.lower())
    if not usual:
        return [(number, unquote(line.strip())) for number, line in enumerate(lines, 1)]
    table = split_table(path, text, usual)
    for number, fields in table:
        if len(fields) > 1:
            refuse_columns(path, number, len(fields), usual)
    return [(number, fields[0] if fields else "") for number, fields in table]


def refuse_columns(path: str, number: int, count: int, delimiter: str) -> NoReturn:
    """Raise UserError for a line that has several columns."""
    raise UserError(
        f"{path}, line {number} has {count} columns. Put a label that has {delimiter!r} in quotes, or give a table and "
        f"the name of its column: labels: {{file: {path}, column: NAME}}."
    )


def unquote(word: str) -> str:
    """Return a label without the quotes around it; a quote within is doubled there."""
    return word[1:-1].replace('""', '"').strip() if re.fullmatch('"([^"]|"")*"', word) else word


def read_column(path: str, text: str, column: str) -> list[Word]:
    """Return one column of a table with a header; fields are separated by commas, semicolons or tabs.

    Raises UserError if there is no such column, or a line has another number of fields than the header.
    """
    first = re.split(NEWLINE, text, maxsplit=1)[0]
    headers = {delimiter: split_line(first, delimiter) for delimiter in DELIMITERS}
    delimiter = max(DELIMITERS, key=lambda mark: (column in headers[mark], len(headers[mark])))
    (_, header), *lines = split_table(path, text, delimiter)
    if header.count(column) != 1:
        problem = f"several columns {column}. Rename one" if column in header else f"no column {column}"
        raise UserError(f"{path} has {problem}. {'' if column in header else suggest(column, header)}".rstrip())
    rows = len(lines)
    while lines and not any(lines[-1][1]):
        lines.pop()
    if rows > len(lines):
        log_dropped(path, rows - len(lines))
    for number, fields in lines:
        if any(fields) and len(fields) != len(header):
            raise UserError(
                f"{path}, line {number} has {len(fields)} fields, the header {len(header)}. "
                "Quote fields that have delimiters."
            )
    at = header.index(column)
    return [(number, fields[at] if fields else "") for number, fields in lines]


def drop_header(path: str, words: list[Word], count: int, row: str) -> list[Word]:
    """Return the labels without a first line that is one too many and the label of no other line.

    Raises UserError if the first line alone is no number, so that it is a header, but is not one too many.
    """
    (_, first), *others = words
    if len(words) == count + 1 and first not in {word for _, word in others}:
        log.info("%s: the first line, %s, is left out as a header", path, first)
        return others
    are_numbers = [bool(re.fullmatch(NUMBER, word)) for _, word in words]
    if len(words) == count and others and all(are_numbers[1:]) and not are_numbers[0]:
        raise UserError(
            f"{path} has the header {first} and {count_noun(len(others), 'line')} for {count_noun(count, row)}. "
            "Add the 1 missing line."
        )
    return words
