"""DOT -> SVG, PNG or PDF, by the Graphviz that comes inside pygraphviz.

Two things are taken out of the machine's hands. Graphviz measures texts with the fonts it finds, and on a machine without
any it draws empty boxes: so the font comes from a package, in a fontconfig of our own, the system's fonts after it for what
it lacks (Chinese, emoji). And a layout may take minutes: so it has a process of its own and a limit on time.
"""

from __future__ import annotations

import html
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal, Self

from attrs import frozen

from callflow.diagram.dot import to_dot
from callflow.diagram.graph import Graph
from callflow.diagram.looks import FONT, LARGE, SMALL, Style
from callflow.errors import DiagramError

PictureFormat = Literal["svg", "png", "pdf"]

TIME_LIMIT: Final = 30.0
"""Seconds, for all tries together."""

PAGE: Final = 880
"""Pixels: the width of a page in which a picture is looked at."""

LEAST_TEXT: Final = 11
"""Pixels: no text is smaller when the picture is as wide as the page, where the flow allows it."""

WIDEST: Final = PAGE * SMALL / LEAST_TEXT
"""Points, the unit of DOT."""

INSTALL: Final = "pip install 'callflow[diagrams]'"

_STYLES: Final = (Style(), Style(34, 25, 14), Style(28, 20, 12), Style(24, 16, 12))
"""Tried one after the other, until the picture is narrow enough."""

_BOLD, _ITALIC = 1, 2  # bits of `fontchar` in Graphviz's xdot format
_LAYOUT: Final = Path(__file__).with_name("layout.py")
_PNG_SCALE: Final = 2  # for screens with small dots

_SYSTEM_FONTS: Final = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "/System/Library/Fonts",
    "/Library/Fonts",
    "C:/Windows/Fonts",
)
_USER_FONTS: Final = (("xdg", "fonts"), ("default", "~/.fonts"), ("default", "~/Library/Fonts"))


def draw_picture(graph: Graph, format: PictureFormat, *, time_limit: float = TIME_LIMIT) -> bytes:  # noqa: A002 - the word that Graphviz and everybody uses
    """The picture, in the widest of a few layouts that can be read on a page.

    Raises DiagramError when pygraphviz or the font is not installed, when the layout takes longer than `time_limit`
    (seconds), or when Graphviz fails.
    """
    with _Graphviz(time.monotonic() + time_limit, time_limit) as graphviz:
        dot, svg = graphviz.fitting(graph)
        if format == "svg":
            return _finished(svg, graph.name, _text_widths(graphviz.run(dot, "json")))
        # A reader of SVG has fonts of their own; here the letters are drawn now.
        return graphviz.run(dot, format, letters=_letters(dot))


@frozen
class _Fonts:
    directory: str

    def configuration(self) -> str:
        """Our font first, and only ours of that name; then whatever the machine has. The same letters, the same widths."""
        directories = [f"<dir>{_xml(self.directory)}</dir>"]
        directories += [f"<dir>{path}</dir>" for path in _SYSTEM_FONTS if Path(path).is_dir()]
        directories += [f'<dir prefix="{prefix}">{path}</dir>' for prefix, path in _USER_FONTS]
        others = "".join(f"<rejectfont><glob>{path}/*{FONT}*</glob></rejectfont>" for path in _SYSTEM_FONTS)
        plain = "".join(
            f'<edit name="{name}" mode="assign"><bool>{value}</bool></edit>'
            for name, value in (("hinting", "false"), ("autohint", "false"), ("antialias", "true"))
        )
        return (
            '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>'
            f'{"".join(directories)}<selectfont>{others}</selectfont><cachedir prefix="xdg">fontconfig</cachedir>'
            f'<match target="font">{plain}</match><match target="pattern">{plain}</match></fontconfig>'
        )


class _Graphviz:
    """Graphviz for one picture: its font configuration, and the time that is left."""

    def __init__(self, deadline: float, time_limit: float) -> None:
        self.deadline = deadline
        self.time_limit = time_limit
        self.fonts = _Fonts(_font_directory())

    def __enter__(self) -> Self:
        self.directory = tempfile.TemporaryDirectory(prefix="callflow-fonts-")
        self.configuration = Path(self.directory.name, "fonts.conf")
        self.configuration.write_text(self.fonts.configuration(), encoding="utf-8")
        return self

    def __exit__(self, *_: object) -> None:
        self.directory.cleanup()

    def fitting(self, graph: Graph) -> tuple[str, str]:
        """The DOT text whose picture fits on a page (else the narrowest), and that picture as SVG."""
        narrowest: tuple[float, str, str] | None = None
        # A large graph fits on no page, and each try takes long.
        styles = _STYLES[:1] if len(graph.edges) > LARGE else _STYLES
        for dot in _once(to_dot(graph, style) for style in styles):
            svg = self.run(dot, "svg").decode()
            width = _width(svg)
            if narrowest is None or width < narrowest[0]:
                narrowest = (width, dot, svg)
            if width <= WIDEST:
                break
        assert narrowest is not None  # noqa: S101 - there is one style at least
        return narrowest[1], narrowest[2]

    def run(self, dot: str, format: PictureFormat | Literal["json"], letters: str = "") -> bytes:  # noqa: A002 - as above
        if format == "png":
            dot = dot.replace("graph [", f"graph [dpi={72 * _PNG_SCALE}, ", 1)
        left = self.deadline - time.monotonic()
        try:
            done = subprocess.run(  # noqa: S603 - our own file, our own Python
                # -P: nothing that lies beside layout.py stands in for a library.
                [sys.executable, "-P", str(_LAYOUT), format, *([letters] if letters else [])],
                input=dot.encode(),
                capture_output=True,
                timeout=max(left, 0.1),
                check=False,
                env={**os.environ, "FONTCONFIG_FILE": str(self.configuration), "FONTCONFIG_PATH": self.directory.name},
            )
        except subprocess.TimeoutExpired:
            raise DiagramError(
                f"laying out this flow takes longer than {self.time_limit:g}s: draw it as text (.mmd or .dot), "
                "or split it into sub-flows, or allow more time"
            ) from None
        said = done.stderr.decode(errors="replace").strip().splitlines()
        if done.returncode != 0 or not done.stdout:
            raise DiagramError(
                f"Graphviz failed (exit status {done.returncode}): {said[-1] if said else 'it said nothing'}"
            )
        missing = next((line.removeprefix("missing:") for line in said if line.startswith("missing:")), "")
        if missing:
            warnings.warn(
                f"no font on this machine has {' '.join(missing[:20])}{' …' if len(missing) > 20 else ''}: the picture has boxes "
                "in their place. Install a font that has them, or draw SVG, which is shown with its reader's fonts",
                stacklevel=5,
            )
        return done.stdout


def _letters(dot: str) -> str:
    """The letters for which the picture may need a font of the system's, each once."""
    return "".join(sorted({letter for letter in dot if ord(letter) > 0x24F}))


def _font_directory() -> str:
    """Where the font's package keeps its files. Raises DiagramError where it or pygraphviz is not installed."""
    missing = [
        package
        for module, package in (("pygraphviz", "pygraphviz"), ("font_roboto", "font-roboto"))
        if find_spec(module) is None
    ]
    if missing:
        raise DiagramError(
            f"a picture needs {' and '.join(missing)}: {INSTALL}. Mermaid (.mmd) and DOT (.dot) need nothing more"
        )
    spec = find_spec("font_roboto")
    locations = spec.submodule_search_locations if spec is not None else None
    return str(Path(next(iter(locations or ())), "files"))


def _once(texts: Iterable[str]) -> Iterable[str]:
    return dict.fromkeys(texts)


def _width(svg: str) -> float:
    match = re.search(r'<svg width="([0-9.]+)pt"', svg)
    return float(match[1]) if match else 0.0


_COMMENT = re.compile(r"<!--.*?-->\n?", re.DOTALL)
_DOCTYPE = re.compile(r"<!DOCTYPE.*?>\n?", re.DOTALL)
_TITLE = re.compile(r"<title>.*?</title>\n?", re.DOTALL)


_TEXT = re.compile(r"<text ([^>]*)>([^<]*)</text>")
_ATTRIBUTE = re.compile(r'([a-z-]+)="([^"]*)"')

_Look = tuple[str, float, bool, bool]
"""A text, its size in points, whether it is bold, whether it is italic."""


def _finished(svg: str, name: str, widths: Mapping[_Look, float]) -> bytes:
    """Graphviz's SVG without its comments and its names for nodes, with fonts for whoever lacks ours.

    Each text says how wide it is, so that it keeps to its box in whatever font it is shown.
    """

    def fitted(match: re.Match[str]) -> str:
        attributes = dict(_ATTRIBUTE.findall(match[1]))
        look = (
            html.unescape(match[2]),
            float(attributes.get("font-size", 0)),
            attributes.get("font-weight") == "bold",
            attributes.get("font-style") == "italic",
        )
        width = widths.get(look)
        length = "" if width is None else f' textLength="{width:g}" lengthAdjust="spacingAndGlyphs"'
        return f"<text {match[1]}{length}>{match[2]}</text>"

    svg = _TITLE.sub("", _DOCTYPE.sub("", _COMMENT.sub("", svg)))
    svg = _TEXT.sub(fitted, svg)
    svg = svg.replace(f'font-family="{FONT}"', f'font-family="{FONT}, Arial, Helvetica, sans-serif"')
    return svg.replace("<svg ", f'<svg role="img" aria-label="{_xml(name)}" ', 1).encode()


def _text_widths(layout: bytes) -> dict[_Look, float]:
    """How wide Graphviz takes each text to be, in points, from the drawing operations of its JSON format."""
    picture = json.loads(layout)
    widths: dict[_Look, float] = {}
    for drawn in (picture, *picture.get("objects", ()), *picture.get("edges", ())):
        size, style = 0.0, 0
        for operation in drawn.get("_ldraw_", ()):
            kind = operation["op"]
            if kind == "F":
                size = float(operation["size"])
            elif kind == "t":
                style = int(operation["fontchar"])
            elif kind == "T":
                widths[operation["text"], size, bool(style & _BOLD), bool(style & _ITALIC)] = round(
                    operation["width"], 1
                )
    return widths


def _xml(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
