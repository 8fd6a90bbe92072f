"""Coverage as pages: a table of the files, and each file with its lines coloured. No script, nothing from elsewhere."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path

from callflow.coverage.measure import Coverage, FileCoverage, Found, percent
from callflow.coverage.table import BESIDE, file_shown, lines_of, sentence
from callflow.coverage.things import KINDS
from callflow.errors import printable
from callflow.flowfile.source import read_text

_STYLE = """\
:root { color-scheme: light dark; --good: #1a7f37; --bad: #b42318; --weak: #9a6700; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { padding: .15rem .6rem; text-align: right; vertical-align: top; }
th:first-child, td:first-child, td.text, td.lines { text-align: left; }
.files tr { border-bottom: 1px solid #8884; }
.source td { font: 13px/1.5 ui-monospace, monospace; }
.source td.number { opacity: .6; width: 3rem; user-select: none; }
.source td.text { white-space: pre-wrap; width: 100%; }
.source td.by { white-space: nowrap; }
.good { border-left: 4px solid var(--good); background: #1a7f3714; }
.bad { border-left: 4px solid var(--bad); background: #b4231822; }
.weak { border-left: 4px solid var(--weak); background: #9a670022; }
.none { border-left: 4px solid transparent; }
.missing { color: var(--bad); font-family: system-ui, sans-serif; white-space: normal; }
.weak .missing { color: var(--weak); }
details { font-family: system-ui, sans-serif; }
details ul { margin: 0; padding-left: 1.2rem; text-align: left; white-space: normal; }
"""


def write_pages(coverage: Coverage, folder: Path) -> Path:
    """Writes `index.html` and a page for each file there; gives the index. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    names = _names(coverage.files)
    for file in coverage.files:
        if file.file in names:
            _write(folder / names[file.file], _page(file))
    index = folder / "index.html"
    _write(index, _index(coverage, names))
    return index


def _write(path: Path, lines: Iterator[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", errors="replace")


def _names(files: Sequence[FileCoverage]) -> Mapping[str, str]:
    """A page's name for each file that can be read, no two alike."""
    found: dict[str, str] = {}
    for file in files:
        if file.file.startswith("<"):
            continue
        stem = os.path.basename(file.file)  # noqa: PTH119 - a name may be any text
        name = f"{stem}.html"
        number = 2
        while name.casefold() in {one.casefold() for one in found.values()} or name == "index.html":
            name, number = f"{stem}-{number}.html", number + 1
        found[file.file] = name
    return found


def _head(title: str) -> Iterator[str]:
    yield "<!doctype html>"
    yield f'<html lang="en"><head><meta charset="utf-8"><title>{_text(title)}</title>'
    yield f"<style>\n{_STYLE}</style></head><body><h1>{_text(title)}</h1>"


def _text(text: str) -> str:
    return escape(printable(text))


# -- the index


def _index(coverage: Coverage, names: Mapping[str, str]) -> Iterator[str]:
    yield from _head("Coverage")
    rows, of = coverage.rows
    yield f"<p>{rows} of {of} rows are covered: {int(coverage.percent)}%. A row is where a scenario would fail without it.</p>"
    heads = ["Flow", "Rows", "Miss", "Cover", *(KINDS[kind].capitalize() for kind in BESIDE), "Missing"]
    yield f'<table class="files"><tr>{"".join(f"<th>{one}</th>" for one in heads)}</tr>'
    for file in coverage.files:
        yield _index_line(file, names.get(file.file))
    yield "</table></body></html>"


def _index_line(file: FileCoverage, page: str | None) -> str:
    rows, of = file.share("row")
    shown = _text(file_shown(file.file))
    shares = ("/".join(map(str, file.share(kind))) for kind in BESIDE)
    missing = lines_of([one for one in file.of("row") if not one.counts])
    cells = [
        f'<a href="{escape(_address(page))}">{shown}</a>' if page else shown,
        str(of), str(of - rows), f"{int(percent(rows, of))}%", *shares, missing,
    ]  # fmt: skip
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _address(name: str) -> str:
    from urllib.parse import quote

    return quote(name)


# -- a file


def _page(file: FileCoverage) -> Iterator[str]:
    yield from _head(file_shown(file.file))
    rows, of = file.share("row")
    beside = ", ".join(
        f"{KINDS[kind]} {part}/{whole}" for kind in BESIDE for part, whole in [file.share(kind)] if whole
    )
    yield f'<p><a href="index.html">All files</a> · rows {rows}/{of} ({int(percent(rows, of))}%){f", {beside}" if beside else ""}</p>'
    text, defect = read_text(file.file)
    lines = [] if defect is not None else text.splitlines()
    found: dict[int, list[Found]] = {}
    for one in file.found:
        found.setdefault(one.thing.line, []).append(one)
    yield '<table class="source">'
    for number, line in enumerate(lines, 1):
        yield _source_line(number, line, found.get(number, []))
    yield "</table></body></html>"


def _source_line(number: int, line: str, found: Sequence[Found]) -> str:
    missing = [one for one in found if not one.counts]
    look = "none" if not found else "good" if not missing else "weak" if all(one.unmissed for one in missing) else "bad"
    said = "".join(f'<div class="missing">{_text(sentence(one))}</div>' for one in missing)
    return (
        f'<tr class="{look}" id="L{number}"><td class="number">{number}</td>'
        f'<td class="text">{escape(line.expandtabs(), quote=False)}{said}</td><td class="by">{_by(found)}</td></tr>'
    )


def _by(found: Sequence[Found]) -> str:
    """Which scenarios take what is on a line."""
    if not found:
        return ""
    names = dict.fromkeys(name for one in found for name in one.scenarios)
    if not names:
        return "0"
    listed = "".join(f"<li>{_text(name)}</li>" for name in names)
    return f"<details><summary>{len(names)}</summary><ul>{listed}</ul></details>"
