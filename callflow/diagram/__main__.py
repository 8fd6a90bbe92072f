"""`python -m callflow.diagram flows/*.yaml -o diagrams`: each flow's picture (SVG) and its Mermaid text, in one directory."""

from __future__ import annotations

from pathlib import Path

import click

from callflow.diagram import draw
from callflow.errors import CallflowError


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "-o",
    "--output",
    "directory",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the pictures go.",
)
def main(files: tuple[Path, ...], directory: Path) -> None:
    """Draw each flow FILE, and take away the pictures of flows that are no more."""
    from callflow.flowfile import load

    directory.mkdir(parents=True, exist_ok=True)
    pictures: dict[Path, bytes] = {}
    for file in sorted(files):
        try:
            flow = load(file)
            pictures[directory / f"{file.stem}.svg"] = draw(flow, "svg")
            pictures[directory / f"{file.stem}.mmd"] = draw(flow, "mmd")
        except CallflowError as error:
            raise click.ClickException(str(error)) from None
    for old in (*directory.glob("*.svg"), *directory.glob("*.mmd")):
        if old not in pictures:
            old.unlink()
    for path, picture in pictures.items():
        path.write_bytes(picture)


if __name__ == "__main__":
    main()
