"""The process in which Graphviz works: DOT on standard input, the picture on standard output.

Run as a file of its own, so that it can be killed when a layout takes too long, or when Graphviz crashes. Imports nothing
of callflow: only pygraphviz is needed where it runs.
"""

from __future__ import annotations

import sys


def main() -> None:
    import pygraphviz

    graph = pygraphviz.AGraph(string=sys.stdin.buffer.read().decode())
    sys.stdout.buffer.write(graph.draw(format=sys.argv[1], prog="dot"))


if __name__ == "__main__":
    main()
