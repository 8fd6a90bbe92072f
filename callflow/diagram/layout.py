"""The process in which Graphviz works: DOT on standard input, the picture on standard output.

Run as a file of its own, so that it can be killed when a layout takes too long, or when Graphviz crashes. Imports nothing
of callflow: only pygraphviz is needed where it runs. With a third argument it also says on standard error, after
`missing:`, which letters of that text no font has.
"""

from __future__ import annotations

import ctypes
import sys
import unicodedata
from pathlib import Path


class FontSet(ctypes.Structure):
    """fontconfig's FcFontSet."""

    _fields_ = (("count", ctypes.c_int), ("size", ctypes.c_int), ("fonts", ctypes.POINTER(ctypes.c_void_p)))


def missing(text: str, package: Path) -> str:
    """The letters of a text that no font has which Graphviz finds; none where its fontconfig cannot be asked."""
    libraries = [*package.parent.glob("pygraphviz.libs/libfontconfig*"), *package.glob(".dylibs/libfontconfig*")]
    wanted = {ord(letter) for letter in text if unicodedata.category(letter)[0] not in "CMZ"}
    if not libraries:
        return ""
    fontconfig = ctypes.CDLL(str(libraries[0]))
    fontconfig.FcConfigGetFonts.restype = ctypes.POINTER(FontSet)
    fontconfig.FcConfigGetFonts.argtypes = (ctypes.c_void_p, ctypes.c_int)
    fontconfig.FcPatternGetCharSet.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p)
    fontconfig.FcCharSetHasChar.argtypes = (ctypes.c_void_p, ctypes.c_uint32)
    found = fontconfig.FcConfigGetFonts(None, 0)
    for index in range(found.contents.count if found else 0):
        letters = ctypes.c_void_p()
        if fontconfig.FcPatternGetCharSet(found.contents.fonts[index], b"charset", 0, ctypes.byref(letters)) == 0:
            wanted = {letter for letter in wanted if not fontconfig.FcCharSetHasChar(letters, letter)}
    return "".join(map(chr, sorted(wanted)))


def main() -> None:
    import pygraphviz

    graph = pygraphviz.AGraph(string=sys.stdin.buffer.read().decode())
    sys.stdout.buffer.write(graph.draw(format=sys.argv[1], prog="dot"))
    if len(sys.argv) > 2:
        sys.stderr.buffer.write(f"missing:{missing(sys.argv[2], Path(pygraphviz.__file__).parent)}\n".encode())


if __name__ == "__main__":
    main()
