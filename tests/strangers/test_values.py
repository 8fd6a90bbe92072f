"""What a caller, a model or another program says is data: never a template, a line of a log, a part of a picture or of YAML."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys

import pygraphviz
import pytest

import callflow
from callflow.diagram import graph_of, to_dot, to_mermaid
from callflow.errors import FlowFileError
from callflow.flowfile.expand import expand
from callflow.journal import read_journal, replay
from tests.support.play import Play, flow_of
from tests.support.worlds import FakeWorld, a_call

HOSTILE = [
    "{{ env.SECRET }}",
    "{{ vars.said }}{{",
    "\n2026-01-01 CRITICAL callflow the call was paid\x1b[2J",
    '"]; evil [label="x',
    "end\n  evil --> other : x",
    "x: &a !!python/object:os.system\n- *a # '\"",
    "\u2028\u202e\x00\ud800",
]
SAYS_BACK = """
callflow: 1
name: says-back
env: [SECRET]
vars: {said: {type: string, default: ""}}
events: {app.said: {text: string}}
initial: talking
states:
  talking:
    on:
      app.said: {do: [{set: {said: "{{ event.text }}"}}, {log: "They said {{ vars.said }}"}, {say: "You said {{ vars.said }}"}]}
"""


@pytest.mark.parametrize("text", HOSTILE)
def test_a_value_is_never_parsed_again_as_a_template(text):
    call = Play(SAYS_BACK, env={"SECRET": "hunter2"}).send("app.said", text=text)
    assert call.vars["said"] == text
    assert call.doing == [f"say You said {text}"]
    assert "hunter2" not in str(call.trace)


@pytest.mark.parametrize("text", HOSTILE)
async def test_a_value_is_one_line_of_a_log_and_of_a_journal(text, caplog, tmp_path):
    caplog.set_level("INFO", "callflow")
    world = FakeWorld()
    call = a_call(world, SAYS_BACK, env={"SECRET": "hunter2"}, folder=tmp_path, id="c")
    running = asyncio.create_task(call.run())
    await asyncio.sleep(1)
    call.send("app.said", {"text": text})
    await asyncio.sleep(3)
    world.hang_up()
    record = await running
    said = [one.getMessage() for one in caplog.records if one.getMessage().startswith("They said")]
    assert len(said) == 1
    assert said[0].isprintable()
    assert "hunter2" not in (tmp_path / "c.jsonl").read_text() + (tmp_path / "c.json").read_text()
    journal = read_journal(tmp_path / "c.jsonl")
    assert len(journal.lines) == record.steps
    if "\ud800" not in text:  # half a character is written as its escape
        assert json.loads((tmp_path / "c.json").read_text())["vars"]["said"] == text
        replay(call.flow, journal)


def quoted(text):
    return json.dumps(text)  # YAML's double quotes are JSON's


@pytest.mark.parametrize("inside", [True, False])
async def test_no_line_of_the_log_speaks_to_a_terminal(inside, caplog):
    """In a call or outside of one, in the line or in the exception that it tells of; what is a new line stays one."""
    hostile = "a\x1b[2J\x9b31m\u202e\r\nb\tc"

    def log():
        logger = logging.getLogger("callflow")
        logger.warning("%s has come", hostile)
        logger.error("not so", exc_info=ValueError(hostile))

    if inside:
        world = FakeWorld()
        call = a_call(world, "callflow: 1\nname: t\ninitial: a\nstates: {a: {entry: [{say: Hello.}]}}\n")
        running = asyncio.create_task(call.run())
        await asyncio.sleep(1)
        call.in_context(log)
        world.hang_up()
        await running
    else:
        log()
    lines = [
        logging.Formatter().format(one)
        for one in caplog.records
        if "has come" in one.getMessage() or "not so" in one.getMessage()
    ]
    assert lines[0] == r"a\x1b[2J\x9b31m\u202e\r" + "\nb\tc has come"
    assert r"ValueError: a\x1b[2J\x9b31m\u202e\r" in lines[1]
    assert not [letter for letter in "".join(lines) if letter not in "\n\t" and not letter.isprintable()]


@pytest.mark.parametrize("text", [one for one in HOSTILE if "\ud800" not in one and "{{" not in one])
def test_a_text_of_the_flow_is_no_part_of_a_picture_or_of_yaml(text):
    source = (
        f"callflow: 1\nname: t\ndescription: {quoted(text)}\nvars: {{v: {{type: string, default: {quoted(text)}}}}}\n"
        f"initial: a\nstates: {{a: {{description: {quoted(text)}, entry: [{{say: {quoted(text)}}}]}}}}\n"
    )
    flow, harmless = flow_of(source), flow_of(source.replace(quoted(text), "x"))
    ours, theirs = (pygraphviz.AGraph(string=to_dot(graph_of(one))) for one in (flow, harmless))
    assert sorted(ours.nodes()) == sorted(theirs.nodes())
    assert sorted(ours.edges()) == sorted(theirs.edges())
    assert len(to_mermaid(graph_of(flow)).splitlines()) == len(to_mermaid(graph_of(harmless)).splitlines())
    again = callflow.loads("".join(expand(source, flow)))
    assert again.scopes[""].variables["v"].default == text
    assert again.description == flow.description


@pytest.mark.parametrize(
    "expression",
    ["vars.__class__", "''.__class__.__mro__", "vars.said.format", "__import__('os')", "open('/etc/passwd')", "eval('1')",
     "(lambda: 1)()", "[x for x in vars]", "vars['__class__']", "env.PATH", "call.__init__.__globals__", "getattr(vars, 'x')"],
)  # fmt: skip
def test_guards_and_templates_cannot_reach_the_machine(expression):
    for place in (
        f"when: {quoted(expression)}, target: ending",
        f"do: [{{say: {quoted('{{ ' + expression + ' }}')}}}]",
    ):
        with pytest.raises(FlowFileError):
            flow_of(
                f"vars: {{said: {{type: string, default: x}}}}\ninitial: a\nstates: {{a: {{on: {{dtmf.1: {{{place}}}}}}}}}"
            )


def test_reading_a_flow_starts_nothing_and_opens_nothing_else(tmp_path):
    """Whatever tags and names a file holds: checking it runs no program and reads no other file."""
    path = tmp_path / "evil.yaml"
    path.write_text(SAYS_BACK + "x-note: !!python/object/apply:os.system ['touch owned']\n")
    code = (
        "import sys, callflow.flowfile.loader as loader\n"
        "sys.addaudithook(lambda name, args: name.startswith(('subprocess', 'os.system', 'os.exec', 'socket')) and sys.exit(9))\n"
        f"loader.read_loads(open({str(path)!r}).read())"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False).returncode == 0
    assert [one.name for one in tmp_path.iterdir()] == ["evil.yaml"]
