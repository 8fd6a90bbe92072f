"""Did you mean …: the names that are nearest to a misspelt one."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

_LONGEST = 80
"""Longer words are no misspelt names; comparing them would only cost time."""


_NEAR = 0.66
"""Of 1, how much is the same: two slips in three letters (`sya`, `say`), a third of a longer name."""

_MOST = 1000
"""Candidates that are compared: a file of thousands of names, all misspelt, must not take long either."""


def closest(word: str, candidates: Iterable[str], limit: int = 1) -> list[str]:
    """The `limit` candidates that `word` most likely stands for, nearest first; none when nothing is near.

    Near is: the same but for case, `_`, `-`, `.` and blanks (`hangup`, `hang_up`), or two thirds of the letters of both in the
    same order (`bsuy`, `busy`), by `difflib`.
    """
    if not word or len(word) > _LONGEST:
        return []
    from difflib import SequenceMatcher  # a file without a defect does not wait for it

    plain, found = _plain(word), []
    matcher = SequenceMatcher(b=plain, autojunk=False)
    for candidate in islice(candidates, _MOST):
        if candidate == word or len(candidate) > _LONGEST:
            continue
        other = _plain(candidate)
        matcher.set_seq1(other)
        if (
            matcher.real_quick_ratio() >= _NEAR
            and matcher.quick_ratio() >= _NEAR
            and (ratio := matcher.ratio()) >= _NEAR
        ):
            found.append((-ratio, plain[:1] != other[:1], candidate))
    return [candidate for _, _, candidate in sorted(set(found))[:limit]]


def did_you_mean(word: str, candidates: Iterable[str]) -> str | None:
    """A hint for the author, `did you mean "hang_up"?`, or None when nothing is near."""
    near = closest(word, candidates)
    return f'did you mean "{near[0]}"?' if near else None


def _plain(word: str) -> str:
    """The word without what is easily confused: case and separators (kept where it consists of nothing else)."""
    return word.lower().translate(_SEPARATORS) or word


_SEPARATORS = str.maketrans("", "", "_-. ")
