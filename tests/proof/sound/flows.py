"""The flows whose calls are played, each by a name: `shipped:smallest`, `docs:README.md:12`, `correct:…`, `faulty:…`, `mended:…`,
`random:7`, `around:7`, `odd:7`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import callflow
from callflow.core.flow import Flow
from callflow.errors import FlowFileError
from tests.core.oracle.generate import PART, Dice, flow_text
from tests.docs.pages import PAGES, ROOT, Block, blocks, whole
from tests.proof.every import CORRECT, FAULTS
from tests.proof.sound.making import AroundMaker, call_text
from tests.support.play import HEAD

SHIPPED = {path.stem: path for path in sorted((ROOT / "flows").glob("*.yaml"))}


def names() -> Iterator[str]:
    """Those that somebody has written."""
    yield from (f"shipped:{name}" for name in SHIPPED)
    yield from (f"docs:{name}" for name in _written())
    yield from (f"correct:{name}" for name in CORRECT)
    yield from (f"faulty:{name}" for name in FAULTS)
    yield from (f"mended:{name}" for name in FAULTS)


def random_names() -> Iterator[str]:
    """Those that nobody has, without end: three of four as people write them, one of these with more around its states."""
    for seed in count():
        yield f"{('random', 'random', 'around', 'odd')[seed % 4]}:{seed}"


def flow_of(name: str) -> Flow | None:
    """The flow of this name; None where the loader refuses what was made at random."""
    kind, _, which = name.partition(":")
    return _KINDS[kind](which)


def _random(seed: str) -> Flow | None:
    return _loaded(call_text(Dice.seeded(int(seed))))


def _around(seed: str) -> Flow | None:
    return _loaded(call_text(Dice.seeded(int(seed)), AroundMaker))


def _loaded(text: str) -> Flow | None:
    try:
        return callflow.loads(text, check=False)
    except FlowFileError:
        return None


def _odd(seed: str) -> Flow:
    text, _, part = flow_text(Dice.seeded(int(seed)), safe=int(seed) % 8 == 3).partition(PART)
    with TemporaryDirectory() as folder:
        (Path(folder) / "part.yaml").write_text(part)
        return callflow.loads(text, folder=folder, check=False)


@cache
def _written() -> Mapping[str, Block]:
    """The flows of the documentation by page and line; pages of faults stand with the faults."""
    found = (block for page in PAGES if page.name != "defects.md" for block in blocks(page))
    return {
        str(one): one
        for one in found
        if one.language == "yaml" and not one.marks.keys() & {"telephones", "scenario", "wrong"}
    }


def _of_the_docs(name: str) -> Flow | None:
    block = _written()[name]
    with TemporaryDirectory() as folder:
        for before in sorted(block.page.parent.glob("*.md")):
            for one in blocks(before) if before <= block.page else ():
                if file := one.marks.get("file"):
                    (Path(folder) / file).write_text(one.text, encoding="utf-8")
        (Path(folder) / "waiting.mp3").write_bytes(b"music")
        (Path(folder) / "flows").symlink_to(ROOT / "flows")
        file = Path(folder) / block.marks.get("file", "example.yaml")
        file.write_text(whole(block), encoding="utf-8")
        try:
            return callflow.load(file, check=False)
        except FlowFileError:
            return None


def _of_text(text: str) -> Flow:
    return callflow.loads(HEAD + text, check=False)


_KINDS: Mapping[str, Callable[[str], Flow | None]] = {
    "shipped": lambda name: callflow.load(SHIPPED[name]),
    "docs": _of_the_docs,
    "correct": lambda name: _of_text(CORRECT[name]),
    "faulty": lambda name: _of_text(FAULTS[name].wrong),
    "mended": lambda name: _of_text(FAULTS[name].right),
    "random": _random,
    "around": _around,
    "odd": _odd,
}
