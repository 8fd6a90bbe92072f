"""`callflow demo`: two calls offline. What goes wrong by hand, and the same as a flow; then two whole flows as they happen.
With `--caller` only the calls of that far end."""

from __future__ import annotations

from pathlib import Path

import click

CALLERS = (
    *("talks", "says_nothing", "hangs_up_while_spoken_to", "hangs_up_at_once"),
    *("voicemail", "mailbox_full", "menu", "screening"),
    *("busy", "no_answer", "declines", "invalid", "unavailable", "fails", "unreachable"),
)
"""What the far end does."""


@click.command("demo")
@click.option("--caller", type=click.Choice(CALLERS), help="Show the calls of this far end, and only those.")
@click.option("--fast", is_flag=True, help="Do not wait at all: as where the output is no terminal.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder for the journals, the records and the diagrams; a new temporary one unless given.",
)
def command(caller: str | None, fast: bool, out: Path | None) -> None:
    """Show callflow at work: no server, no key, no network.

    The room, the telephone network and the models are simulated; the sessions are LiveKit's own.
    """
    if out is not None:
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise click.ClickException(f"cannot write into {out}: {error.strerror}") from None
    click.secho("callflow demo", bold=True)
    # Only here: rich, LiveKit and numpy take a second or two.
    from callflow.cli._demo_show import Show

    Show(caller, fast=fast, out=out).run()
