"""Did you mean …: the names that are nearest to a misspelt one."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

_LONGEST = 80
"""Longer words are no misspelt names; comparing them would only cost time."""


_MOST = 1000
"""Candidates that are compared: a file of thousands of names, all misspelt, must not take long either."""


def closest(word: str, candidates: Iterable[str], limit: int = 1) -> list[str]:
    """The `limit` candidates that `word` most likely stands for, nearest first; none when nothing is near.

    Near is: the same but for case, `_`, `-`, `.` and blanks (`hangup`, `hang_up`), or at most one slip in three letters,
    three in all. A slip is a letter too many, too few, wrong, or two letters swapped (`bsuy`).
    """
    if not word or len(word) > _LONGEST:
        return []
    plain = _plain(word)
    allowed = min(3, max(1, len(plain) // 3)) if len(plain) > 1 else 0
    found = []
    for candidate in islice(candidates, _MOST):
        if candidate == word or len(candidate) > _LONGEST:
            continue
        other = _plain(candidate)
        if abs(len(plain) - len(other)) > allowed:
            continue
        slips = 0 if plain == other else _slips(plain, other, allowed)
        if slips <= allowed and slips < len(other):
            found.append((slips, plain[:1] != other[:1], candidate))
    return [candidate for _, _, candidate in sorted(set(found))[:limit]]


def did_you_mean(word: str, candidates: Iterable[str]) -> str | None:
    """A hint for the author, `did you mean "hang_up"?`, or None when nothing is near."""
    near = closest(word, candidates)
    return f'did you mean "{near[0]}"?' if near else None


def _plain(word: str) -> str:
    """The word without what is easily confused: case and separators (kept where it consists of nothing else)."""
    return word.lower().translate(_SEPARATORS) or word


_SEPARATORS = str.maketrans("", "", "_-. ")


def _slips(a: str, b: str, most: int) -> int:
    """The Damerau-Levenshtein distance (optimal string alignment), or `most + 1` as soon as it is sure to be more."""
    before: list[int] = []
    above = list(range(len(b) + 1))
    for i, letter in enumerate(a, start=1):
        row = [i]
        for j, other in enumerate(b, start=1):
            cost = above[j - 1] + (letter != other)
            cost = min(cost, above[j] + 1, row[j - 1] + 1)
            if i > 1 and j > 1 and letter == b[j - 2] and a[i - 2] == other:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
        before, above = above, row
    return above[-1]
