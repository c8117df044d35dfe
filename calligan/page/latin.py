"""Latin among Han characters: apostrophes of words, and what reads to the right in every line."""

import unicodedata

_APOSTROPHE = "’"  # also a closing quotation mark
_BRACKETS = {")": "(", "]": "[", "}": "{"}


def is_wide(char: str) -> bool:
    """Whether a character has a square of its own (UAX 11)."""
    return unicodedata.east_asian_width(char) in "WF"


def is_in_word(text: str, index: int) -> bool:
    """Whether a character is an apostrophe between two letters, as in It’s."""
    if text[index] != _APOSTROPHE or not 0 < index < len(text) - 1:
        return False
    return _is_letter(text[index - 1]) and _is_letter(text[index + 1])


def leftward_order(text: str) -> list[int]:
    """The indices of a line's characters from left to right, where the line is read to the left.

    Latin and numbers read to the right within it, as in a bidirectional text (UAX 9), with the
    spaces and marks between them; marks that are as wide as a Han character part them.
    """
    order: list[int] = []
    index = 0
    for start, end in _rightward_runs(text):
        order += [*range(index, start), *range(end - 1, start - 1, -1)]
        index = end
    return [*order, *range(index, len(text))][::-1]


def _rightward_runs(text: str) -> list[tuple[int, int]]:
    """The beginnings and ends of what reads to the right."""
    runs: list[tuple[int, int]] = []
    index = 0
    while index < len(text):
        if not _is_rightward(text[index]):
            index += 1
            continue
        begun = runs[-1][1] if runs else 0
        runs.append(_with_marks(text, begun, index, _end_of_run(text, index)))
        index = runs[-1][1]
    return runs


def _end_of_run(text: str, start: int) -> int:
    """After the last letter or digit that nothing wide parts from the one at `start`."""
    end = start + 1
    for index in range(start + 1, len(text)):
        if _is_rightward(text[index]) or (index == end and unicodedata.combining(text[index])):
            end = index + 1
        elif not _joins(text[index]):
            break
    return end


def _with_marks(text: str, first: int, start: int, end: int) -> tuple[int, int]:
    """A run with the signs of its numbers (100%), and with the brackets round it or a part of it.

    It begins at `first` or later.
    """
    while start > first and text[start].isdigit() and _is_sign(text[start - 1]):
        start -= 1
    while end < len(text) and text[end - 1].isdigit() and _is_sign(text[end]):
        end += 1
    while end < len(text) and (opening := _BRACKETS.get(text[end])):
        run = text[start:end]
        if run.count(opening) <= run.count(text[end]):
            if start == first or text[start - 1] != opening:
                break
            start -= 1
        end += 1
    return start, end


def _is_letter(char: str) -> bool:
    return char.isalpha() and unicodedata.east_asian_width(char) not in "WFH"


def _is_rightward(char: str) -> bool:
    """Whether it is a letter or a digit, but no Han character and no kana; full-width ones too."""
    if unicodedata.east_asian_width(char) in "WH":
        return False
    return unicodedata.bidirectional(char) in ("L", "EN")


def _joins(char: str) -> bool:
    """Whether what is on both of its sides reads on: narrow marks and spaces."""
    goes_right = unicodedata.bidirectional(char) not in ("R", "AL", "AN")
    return goes_right and unicodedata.east_asian_width(char) not in "WFH"


def _is_sign(char: str) -> bool:
    return unicodedata.bidirectional(char) == "ET" and not is_wide(char)
