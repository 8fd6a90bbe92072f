"""`callflow phone`: a telephone network without a carrier, in front of one's own LiveKit server."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from callflow.telephony.stand_in.book import Book
    from callflow.telephony.stand_in.serving import StandIn

ANSWERS = "answers"


@click.command("phone")
@click.option("--url", default="", help="The LiveKit server: LIVEKIT_URL, or ws://localhost:7880, unless given.")
@click.option("--port", default=7890, show_default=True, help="Agents find the server, and the telephones, here.")
@click.option("--callee", default=ANSWERS, show_default=True, metavar="PRESET", help="What every other telephone does.")
@click.option("--number", "numbers", multiple=True, metavar="NUMBER=PRESET", help="What this one does; repeatable.")
@click.option("--book", type=click.Path(path_type=Path), metavar="FILE", help="Telephones in a YAML file.")
@click.option("--handset", is_flag=True, help="You are at every other telephone, with any LiveKit client.")
@click.option("--call-in", is_flag=True, help="A telephone calls: an agent has to answer.")
@click.option("--from", "caller", default="+15550199", show_default=True, help="Its number.")
@click.option("--to", "called", default="+15550100", show_default=True, help="The number that it calls.")
@click.option("--agent", default="", metavar="NAME", help="The agent that is sent for it; whichever takes every call.")
@click.option("--presets", is_flag=True, help="List what telephones can do.")
def command(presets: bool, **options: Any) -> None:
    """Try a flow on the telephone, with no trunk and no carrier.

    Runs in front of a LiveKit server and answers its SIP API: telephones ring, answer, refuse, talk and hang up as you
    say. Agents need nothing but its address as LIVEKIT_URL. Ends with Ctrl-C, or by SIGINT or SIGTERM in the background.

    Exit status: 1 it cannot start, 2 wrong usage.
    """
    if presets:
        _list_presets()
        return
    from callflow.errors import CallflowError

    try:
        _obey_signals()
        asyncio.run(_run(**options))
    except KeyboardInterrupt:
        click.echo("\nthe telephones are down")
        sys.stdout.flush()
        os._exit(0)  # all is closed; LiveKit's library may abort in a process that ends by itself
    except CallflowError as error:
        raise click.ClickException(str(error)) from None


def _obey_signals() -> None:
    """SIGINT and SIGTERM end the program in order, and a terminal does not stop it for reading in the background.

    What a shell starts in the background inherits that SIGINT is ignored (POSIX, 2.12 of the Shell Command Language), and
    asyncio takes Ctrl-C over only where Python's own handler is in place.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    if hasattr(signal, "SIGTTIN"):
        signal.signal(signal.SIGTTIN, signal.SIG_IGN)


async def _run(
    url: str, port: int, callee: str, numbers: tuple[str, ...], book: Path | None, handset: bool, call_in: bool,
    caller: str, called: str, agent: str,
) -> None:  # fmt: skip
    from callflow.telephony.bridge import CallIn
    from callflow.telephony.stand_in import serving as stand_ins

    place = _place(url)
    telephones = _book(callee, numbers, book)
    _numbers_are_right(caller, called)
    async with stand_ins.running(place, telephones, port, _tell, with_handset=handset) as stand_in:
        _introduce(stand_in, telephones, callee)
        orders: asyncio.Queue[str] = asyncio.Queue()
        _listen_to_the_keyboard(orders)
        if call_in:
            if handset:
                click.echo("pick up the handset to call")
                await stand_in.handset.picked_up()
            far = stand_ins.BY_HAND if handset else telephones.otherwise
            room = f"call-{os.getpid()}-{int(time.time())}"
            await stand_in.call_in(CallIn(room, caller, called), far, agent=agent)
        while True:
            _obey(stand_in, await orders.get())


def _place(url: str) -> Any:
    from callflow.errors import StartError
    from callflow.telephony.stand_in.rooms import Place

    url = url or os.environ.get("LIVEKIT_URL") or "ws://localhost:7880"
    url = url.replace("http", "ws", 1) if url.startswith("http") else url
    if not url.startswith(("ws://", "wss://")):
        raise click.BadParameter(f"{url!r} is no address of a LiveKit server: write ws://host:port", param_hint="--url")
    key, secret = os.environ.get("LIVEKIT_API_KEY", ""), os.environ.get("LIVEKIT_API_SECRET", "")
    if not key or not secret:
        told = "set LIVEKIT_API_KEY and LIVEKIT_API_SECRET to those of the LiveKit server"
        raise StartError([f"{told} (devkey and secret with `livekit-server --dev`)"])
    return Place(url.rstrip("/"), key, secret)


def _book(callee: str, numbers: tuple[str, ...], file: Path | None) -> Book:
    from callflow.telephony.stand_in import book as books

    read = books.Book()
    if file is not None:
        try:
            read = books.read(file.read_text(encoding="utf-8"), str(file))
        except OSError as error:
            raise click.BadParameter(f"{file} cannot be read: {error.strerror}", param_hint="--book") from None
    more = {}
    for given in numbers:
        number, _, name = given.partition("=")
        more[_right("--number", books.number_of, number)] = _right("--number", books.preset, name or ANSWERS)
    otherwise = read.otherwise if callee == ANSWERS else _right("--callee", books.preset, callee)
    return books.Book({**read.numbers, **more}, otherwise)


def _numbers_are_right(caller: str, called: str) -> None:
    from callflow.telephony.stand_in.book import number_of

    _right("--from", number_of, caller)
    _right("--to", number_of, called)


def _right(option: str, reads: Callable[[str], Any], text: str) -> Any:
    try:
        return reads(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=option) from None


def _introduce(stand_in: StandIn, book: Book, callee: str) -> None:
    click.secho(f"A telephone network, in front of {stand_in.place.url}", bold=True)
    click.echo(f"  agents    LIVEKIT_URL=ws://localhost:{stand_in.port}, with the same key and secret")
    click.echo("  trunk     any: SIP_OUTBOUND_TRUNK_ID=ST_stand_in")
    for number in book.numbers:
        click.echo(f"  {number}")
    if not stand_in.with_handset:
        click.echo(f"  any other number: {callee}")
        return
    token, url = stand_in.handset.token(), stand_in.place.url
    click.echo("  any other number: yours. Pick up by joining, hang up by leaving:")
    click.echo(f"    https://meet.livekit.io/custom?liveKitUrl={url}&token={token}")
    click.echo("  or type: a (answer), r (reject), b (busy), h (hang up), keys such as 12#; each with Enter")


def _obey(stand_in: StandIn, order: str) -> None:
    """What was typed."""
    handset = stand_in.handset
    orders: dict[str, Callable[[], None]] = {
        "a": handset.answer, "h": handset.hang_up, "r": lambda: handset.refuse(603), "b": lambda: handset.refuse(486),
    }  # fmt: skip
    if order in orders:
        orders[order]()
    elif order and all(key in "0123456789*#" for key in order):
        handset.press(order)
    elif order:
        click.echo(f"{order!r} is not understood: a, r, b, h, or keys")


def _listen_to_the_keyboard(orders: asyncio.Queue[str]) -> None:
    loop = asyncio.get_running_loop()

    def read() -> None:
        typed = b""
        while more := _typed():
            *lines, typed = (typed + more).split(b"\n")
            for line in lines:
                loop.call_soon_threadsafe(orders.put_nowait, line.decode(errors="replace").strip().lower())

    threading.Thread(target=read, name="keyboard", daemon=True).start()


def _typed() -> bytes:
    """Not by sys.stdin.readline: its lock would outlive the program. Waits where the terminal belongs to another program."""
    while True:
        try:
            return os.read(sys.stdin.fileno(), 1024)
        except OSError as error:
            if error.errno != errno.EIO:
                return b""
            time.sleep(1)


def _tell(number: str, what: str) -> None:
    click.echo(f"{time.strftime('%H:%M:%S')}  {number:<16} {what}")


def _list_presets() -> None:
    from callflow.telephony.described import describe
    from callflow.telephony.network import FAR_ENDS

    for name, far in FAR_ENDS.items():
        click.echo(f"{name:<20} {describe(far)}")
