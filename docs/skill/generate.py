"""Writes `SKILL.md` and `docs/llms.txt`, the language on one page, from the catalogues: `python docs/skill/generate.py`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from callflow.core.actions import COMMON_ARGUMENTS, OUTCOMES, VERBS, Argument, Verb
from callflow.core.durations import format_duration
from callflow.core.events import CALL_FIELDS, EVENTS, OPEN_FAMILIES, EventType
from callflow.core.expressions import DURATION, FUNCTIONS
from callflow.flowfile import keys
from callflow.proof.codes import EVERY_CODE
from callflow.scenario import keys as scenario_keys

HERE = Path(__file__).parent
DOCS = HERE.parent
ROOT = DOCS.parent

WHAT = "Phone calls as state machines in YAML, for LiveKit Agents"
WHEN = (
    f"{WHAT}. Use when a callflow flow file (*.yaml with `callflow: 1`) or a scenario (*.scenario.yaml) is to be written, changed, "
    "checked, tested or mended."
)

SKILL = f"---\nname: callflow\ndescription: {json.dumps(WHEN)}\n---\n\n<!-- Made by docs/skill/generate.py from the code. -->\n\n# callflow\n\n{WHAT}.\n\n"
LLMS = f"# callflow\n\n> {WHAT}. All that is needed to write, check and test a flow is on this page; the rest is linked at its end.\n\n"

TELLS_ONLY = ("session", "room")
"""Families of LiveKit's own events, under its own names: flows need few of them."""

LINKS: Mapping[str, str] = {
    "docs/reference/language.md": "all rules of the language",
    "docs/reference/actions.md": "each verb with its arguments, results and time limits",
    "docs/reference/events.md": "each event with its payload",
    "docs/reference/expressions.md": "guards and templates",
    "docs/reference/scenarios.md": "the format of scenarios, and what ends by itself in them",
    "docs/reference/defects.md": "each code of `callflow check`, with a wrong and a right example",
    "docs/explanation/proof.md": "what `callflow check` proves",
    "docs/how-to/test-a-flow.md": "testing",
    "docs/how-to/transfers.md": "transfers",
    "docs/how-to/voicemail.md": "voicemail",
    "docs/how-to/keys.md": "keys",
    "docs/how-to/outbound-calls.md": "outbound calls",
    "docs/how-to/embed.md": "running a flow in an agent of your own",
}


def page() -> str:
    """What stands in both files."""
    return "\n".join(
        (
            (HERE / "rules.txt").read_text(encoding="utf-8"),
            _examples(),
            _keys(),
            _verbs(),
            _events(),
            _expressions(),
            _scenarios(),
            _codes(),
        )
    )


def _examples() -> str:
    flow = _without_comments((ROOT / "flows/inbound.yaml").read_text(encoding="utf-8"))
    outbound = _without_comments((ROOT / "flows/outbound.yaml").read_text(encoding="utf-8"))
    needs = outbound[outbound.index("vars:") : outbound.index("ending: ending")]
    states = outbound[outbound.index("states:") : outbound.index("  ending:")]
    scenarios = _without_comments((ROOT / "flows/scenarios/inbound.scenario.yaml").read_text(encoding="utf-8"))
    return (
        f"## A flow\n\n```yaml\n{flow}```\n\n## Calling somebody\n\nWithout its name:\n\n"
        f"<!-- part of a flow -->\n```yaml\n{needs}{states.rstrip()}\n```\n\n## Its scenarios\n\nOf the first flow, `flows/inbound.yaml`:\n\n<!-- scenario -->\n```yaml\n"
        f"{scenarios.replace('../inbound.yaml', 'flows/inbound.yaml')}```\n"
    )


def _without_comments(text: str) -> str:
    return re.sub(r"^\n+", "", re.sub(r"(?m)^ *#.*\n| +# [^\"'\n]*$", "", text))


def _listed(entries: Mapping[str, str]) -> str:
    return "".join(f"- `{name}`: {text}\n" for name, text in entries.items())


def _keys() -> str:
    groups: Mapping[str, Mapping[str, str]] = {
        "The top level": keys.TOP_LEVEL,
        "A state": keys.STATE,
        "A tool": keys.TOOL,
        "A variable": keys.VARIABLE,
        "A field": keys.FIELD,
        "Limits": keys.LIMITS,
    }
    told = "\n".join(f"{title}:\n\n{_listed(group)}" for title, group in groups.items())
    return f"## Keys of a flow file\n\n{told}\nOutcomes that every flow has: {', '.join(OUTCOMES)}.\n"


def _verbs() -> str:
    common = ", ".join(f"`{name}`" for name in COMMON_ARGUMENTS)
    return (
        f"## Actions\n\nThe main argument may stand alone, `say: Hello.`; `*` must be given. All that take time have {common}.\n\n"
        + "".join(map(_verb, VERBS.values()))
    )


def _verb(verb: Verb) -> str:
    told = f"- `{verb.name}`"
    if verb.arguments:
        main = [name for name in verb.arguments if name == verb.main]
        names = [*main, *(name for name in verb.arguments if name not in main)]
        told += "(" + ", ".join(_argument(name, verb.arguments[name]) for name in names) + ")"
    told += f": {verb.description}"
    if verb.results:
        told += f" Ends with one of {', '.join(verb.results)}."
    if verb.result:
        told += f" `as` keeps {', '.join(verb.result)}."
    return told + "\n"


def _argument(name: str, argument: Argument) -> str:
    kind = f": {' | '.join(argument.choices)}" if argument.choices else f": {argument.type}"
    default = ""
    if argument.default not in (None, "") and not argument.required:
        value = format_duration(argument.default) if argument.type is DURATION else argument.default
        default = f" = {str(value).lower() if isinstance(value, bool) else value}"
    return f"{name}{'*' if argument.required else ''}{kind}{default}"


def _events() -> str:
    own = [one for one in EVENTS.values() if one.name.partition(".")[0] not in TELLS_ONLY]
    of_livekit = [one.name for one in EVENTS.values() if one not in own]
    return (
        "## Events\n\nWith their payloads. `event.name` and `event.time` are every event's.\n\n"
        + "".join(map(_event, own))
        + "".join(f"- `{family}.<name>`: {text}\n" for family, text in OPEN_FAMILIES.items())
        + f"\nLiveKit's own, under its names: {', '.join(of_livekit)}.\n"
    )


def _event(event: EventType) -> str:
    fields = f" ({', '.join(event.fields)})" if event.fields else ""
    return f"- `{event.name}`{fields}: {event.description}\n" if event.description else f"- `{event.name}`{fields}\n"


def _expressions() -> str:
    return (
        "## Guards and templates\n\nIn `when:` and inside `{{ }}`: `or and not == != < <= > >= in + - * / // %`, `event.x`, `vars.x`, `env.X`, "
        f"`state.visits`, {', '.join(f'`call.{name}`' for name in CALL_FIELDS)}.\n\n"
        + "".join(f"- `{one.usage}`: {one.doc}\n" for one in FUNCTIONS.values())
    )


def _scenarios() -> str:
    groups: Iterable[tuple[str, Mapping[str, str]]] = (
        ("The file", scenario_keys.FILE),
        ("A scenario", scenario_keys.SCENARIO),
        (
            "Steps, beside events (`call.hangup`) and ends of actions (`dial.busy`, `http: {status: 404}`)",
            scenario_keys.STEPS,
        ),
        ("What is expected", scenario_keys.CONDITIONS),
        ("How a call ended", scenario_keys.ENDED),
        ("How an effect ends", scenario_keys.ENDING),
    )
    return (
        "## Scenarios\n\nA step with a time (`4s: call.hangup`) happens so long after the start of the call, one without when all that ends by "
        "itself has ended. Where nothing is said, everything succeeds: a `dial` is answered, an `http` has the status 200.\n\n"
        + "\n".join(f"{title}:\n\n{_listed(group)}" for title, group in groups)
    )


def _codes() -> str:
    return (
        "## What `callflow check` says\n\n`callflow explain CODE` says more, `callflow explain --all --format json` everything.\n\n"
        + "".join(f"- `{code}`: {entry.title}.\n" for code, entry in EVERY_CODE.items())
    )


def main() -> None:
    links = "".join(f"- [{Path(path).stem}]({path.removeprefix('docs/')}): {text}\n" for path, text in LINKS.items())
    (HERE / "SKILL.md").write_text(SKILL + page(), encoding="utf-8")
    (DOCS / "llms.txt").write_text(f"{LLMS}{page()}\n## Documentation\n\n{links}", encoding="utf-8")


if __name__ == "__main__":
    main()
