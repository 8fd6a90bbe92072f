"""What goes into a SIP message, once it is rendered: what a caller said, a model made up or an event brought may stand in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from callflow.core.actions import VERBS
from callflow.core.expressions import ANY
from callflow.core.expressions.problems import Failed
from callflow.core.expressions.render import renderer
from callflow.core.forms import PRINTABLE
from callflow.errors import EffectError

_write = renderer(ANY)


def headers(verb: str, arguments: Mapping[str, Any]) -> dict[str, str]:
    """The headers of a verb's request, written as text. Raises EffectError where one of them, or another text of the
    request, cannot stand in a SIP message."""
    for name, argument in VERBS[verb].arguments.items():
        text = arguments.get(name)
        if isinstance(text, str) and argument.form is not None and not argument.form.fits(text):
            raise EffectError(f"{name} cannot be sent: it takes {argument.form.says}")
    found = {}
    for name, value in (arguments.get("headers") or {}).items():
        try:
            found[name] = _write(value)
        except Failed as error:
            raise EffectError(f"the header {name} cannot be sent: {error}") from None
        if not PRINTABLE.fits(found[name]):
            raise EffectError(f"the header {name} cannot be sent: it takes {PRINTABLE.says}")
    return found
