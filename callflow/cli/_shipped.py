"""Where the flows are that come with callflow: `flows/` beside the package in a checkout, inside it when installed."""

from __future__ import annotations

from pathlib import Path

import callflow

_PACKAGE = Path(callflow.__file__).parent


def shipped_flow(name: str) -> Path:
    """The file of a flow to copy, as short as it can be written from here. Raises FileNotFoundError."""
    for folder in (_PACKAGE.parent / "flows", _PACKAGE / "flows"):
        file = folder / f"{name}.yaml"
        if file.is_file():
            here = Path.cwd()
            return file.relative_to(here) if file.is_relative_to(here) else file
    raise FileNotFoundError(f"callflow was installed without its flows: there is no {name}.yaml beside {_PACKAGE}")
