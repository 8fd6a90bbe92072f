"""A slip in a whole flow is one defect: what follows from it alone is told of nobody. `|` stands for the end of a line."""

from __future__ import annotations

import pytest

from callflow.flowfile.codes import whole
from callflow.flowfile.loader import read_loads

FLOW = """
vars: {reason: {type: string, default: ""}, tries: {type: integer, default: 0}}
env: [TRUNK, COLLEAGUE]
outcomes: [kept, lost]
events: {app.start: {}, app.stop: {why: string}}
senders: {app.start: program, app.stop: [program, host]}
legs: {host: {identity: the-host}}
python: {verify: {parameters: {pin: string}, returns: {ok: boolean}}}
tools:
  colleague: {description: A person is wanted., parameters: {reason: string}}
  look: {description: Look it up., run: {http: {url: "https://example.com/", method: POST}}, result: "{{ result.body }}"}
initial: talking
states:
  talking:
    entry: [{say: Hello.}, {python: {name: verify, arguments: {pin: "1"}, as: verified}}]
    tools: [colleague, look]
    after: {10m: ending}
    on:
      done: {target: asking, when: vars.verified.ok}
      app.start: asking
      app.stop: {target: ending, do: [{set: {reason: "{{ event.why }}"}}, {outcome: kept}]}
      tool.colleague: {target: asking, do: [{set: {reason: "{{ event.reason }}"}}]}
  asking:
    entry:
      - consult: {to: "{{ env.COLLEAGUE }}", trunk: "{{ env.TRUNK }}", accept: {key: "1"}}
    on:
      consult.accepted: together
      consult.*: talking
  together: {must_finish: true, entry: [{outcome: lost}, stand_by], on: {done: over}}
  over: {final: true}
"""


def read(text: str) -> list[str]:
    _, defects = read_loads(whole(text))
    return [f"{one.code}: {one.message} -> {one.hint}" for one in defects]


def test_the_flow_itself_has_no_defect():
    assert read(FLOW) == []


@pytest.mark.parametrize(
    ("right", "slip", "says"),
    [
        # a key that is called otherwise, with all that is under it
        ("initial: talking", "start: talking", 'unknown-key: a flow has no key `start` -> did you mean "initial"?'),
        ("states:", "state:", 'unknown-key: a flow has no key `state` -> did you mean "states"?'),
        ("vars: {r", "variables: {r", 'unknown-key: a flow has no key `variables` -> did you mean "vars"?'),
        ("parameters: {reason", "params: {reason", 'unknown-key: a tool has no key `params` -> did you mean "parameters"?'),
        ("tools:|  colleague: {description", "tools:|  colleague: {desc", 'unknown-key: a tool has no key `desc` -> did you mean "description"?'),
        ("returns: {ok", "return: {ok", 'unknown-key: a Python action has no key `return` -> did you mean "returns"?'),
        ("run: {http", "do: {http", 'unknown-key: a tool has no key `do` -> did you mean "run"?'),
        ("arguments: {pin", "args: {pin", 'unknown-key: `python` has no key `args` -> did you mean "arguments"?'),
        ("consult: {to", "consult: {number", 'unknown-key: `consult` has no key `number` -> did you mean "to"?'),
        ("accept: {key", "accept: {dtmf", 'unknown-key: `accept` of `consult` has no key `dtmf` -> did you mean "key"?'),
        ("accept: {key", "reject: {key", 'unknown-key: `consult` has no key `reject` -> did you mean "decline"?'),
        ("over: {final: true}", "over: {type: final}", "unknown-key: a state has no key `type` -> write `final: true`"),
        # and one that has its place elsewhere
        ("{target: asking, do: [{set: {reason", "{target: asking, set: {x: 1}, do: [{set: {reason", "unknown-key: a row has no key `set` -> what is done stands in a list under `do`: `do: [{set: …}]`"),
        ("    after: {10m: ending}", "    say: Hello.|    after: {10m: ending}", "unknown-key: a state has no key `say` -> what is done on the way in stands in a list under `entry`: `entry: [{say: …}]`"),
        ("    after: {10m: ending}", "    call.hangup: ending|    after: {10m: ending}", "unknown-key: a state has no key `call.hangup` -> what an event does stands under `on`: `on: {call.hangup: …}`"),
        ("on: {done: over}", "done: over", "unknown-key: a state has no key `done` -> what an event does stands under `on`: `on: {done: …}`"),
        # an event, with what its row reads
        ("tool.colleague:", "tool.coleague:", 'unknown-tool: there is no tool `coleague` -> did you mean "colleague"?'),
        ("tool.colleague:", "colleague:", "unknown-event: there is no event `colleague` -> write `tool.colleague`"),
        # a declaration of another form
        ("env: [TRUNK, COLLEAGUE]", "env: {TRUNK: string, COLLEAGUE: string}", "wrong-kind: `env` takes a list, not keys with values -> write [TRUNK, COLLEAGUE]"),
        ("outcomes: [kept, lost]", "outcomes: {kept: yes, lost: no}", "wrong-kind: `outcomes` takes a list, not keys with values -> write [kept, lost]"),
        ("tools: [colleague, look]", "tools: {colleague: {}, look: {}}", "wrong-kind: `tools` takes a list, not keys with values -> write [colleague, look]"),
        ("parameters: {reason: string}", "parameters: [reason]", "wrong-kind: `parameters` takes keys with values, not a list -> each is a key with its value: `reason: …`"),
        ("parameters: {reason: string}", "parameters: reason", 'wrong-kind: `parameters` takes keys with values, not the text "reason" -> write {reason: string}'),
        ("parameters: {reason: string}", "parameters: {type: object, properties: {reason: {type: string}}}", "wrong-kind: `parameters` takes the fields themselves, not a JSON Schema -> write what stands under `properties`: `parameters: {reason: …}`"),
        ("returns: {ok: boolean}", "returns: boolean", 'wrong-kind: `returns` takes keys with values, not the text "boolean" -> write {value: boolean}'),
        ("python: {verify: {parameters: {pin: string}, returns: {ok: boolean}}}", "python: [verify]", "wrong-kind: `python` takes keys with values, not a list -> each is a key with its value: `verify: …`"),
        ("events: {app.start: {}, app.stop: {why: string}}", "events: {app.start: {}, stop: {why: string}}", "bad-name: an event of your own begins with `app.`: `stop` -> write `app.stop`"),
        ("legs: {host: {identity: the-host}}", "legs: [host]", "wrong-kind: `legs` takes keys with values, not a list -> each is a key with its value: `host: …`"),
        ("legs: {host: {identity: the-host}}", "legs: {host: the-host}", 'wrong-kind: the leg `host` takes keys with values, not the text "the-host" -> write {identity: "the-host"}'),
        ("run: {http: {url: \"https://example.com/\", method: POST}}", "run: look_it_up", "unknown-verb: there is no verb `look_it_up` -> write {python: look_it_up}, or an `http` with its `url`"),
        ("arguments: {pin: \"1\"}", "arguments: {code: \"1\"}", 'unknown-field: `verify` has no `code` -> did you mean "pin"?'),
        ("arguments: {pin: \"1\"}, as", "as", "missing-argument: `verify` needs `pin` -> write `pin: …`"),
        # a state that the others hang on
        ("      consult.accepted: together|", "", "no-way-in: nothing leads to the state `together` -> write a row with it as its target, or take it out"),
        ("initial: talking", "ending: the_end|initial: talking", "unknown-target: there is no state `the_end` -> it names a state of this file"),
        ("initial: talking", "standard: false|initial: talking", "missing-key: with `standard: false` a flow says where a failure leads that nobody handles -> write `ending: …`, a state's name"),
        # rows
        ("after: {10m: ending}", "after: {ending: 10m}", "bad-duration: `after`: the time stands before the state -> write `10m: ending`"),
        ("after: {10m: ending}", "after: {10m ending}", "bad-duration: `: ` is missing between `10m` and `ending` -> write `10m: ending`"),
        ("after: {10m: ending}", "after: {10m:ending}", "bad-duration: `: ` is missing between `10m` and `ending` -> write `10m: ending`"),
        ("after: {10m: ending}", "after: [10m, ending]", "wrong-kind: `after` takes rows: a duration and what happens then -> write `after: {10m: ending}`"),
        ("after: {10m: ending}", "after: ending", "wrong-kind: `after` takes rows: a duration and what happens then -> write `after: {12s: ending}`"),
        ("after: {10m: ending}", "after: 10m", "wrong-kind: `after` takes rows: a duration and what happens then -> write `after: {10m: {target: …}}`"),
        ("on: {done: over}", "on: {done over}", "unknown-event: `: ` is missing between `done` and `over` -> write `done: over`"),
        ("on: {done: over}", "on: done", 'wrong-kind: `on` takes keys with values, not the text "done" -> write `on: {done: …}`'),
        ("when: vars.verified.ok", "when: vars.reason | length > 3", "not-in-language: there are no filters -> write len(…) around the value"),
        ("reason: \"{{ event.why }}\"", "tries: \"{{ vars.tries++ }}\"", "not-in-language: there is no ++ -> write vars.tries + 1, in a `set`"),
    ],
)  # fmt: skip
def test_one_slip(right, slip, says):
    right, slip = (
        right.replace("|  ", "\n  ").replace("|", "\n"),
        slip.replace("|  ", "\n  ").replace("|initial", "\ninitial"),
    )
    assert FLOW.count(right) == 1, right
    assert read(FLOW.replace(right, slip)) == [says]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("vars: {tries: 0}", "wrong-kind: the variable `tries` takes its type, not the number 0 -> write {type: integer, default: 0}"),
        ('vars: {day: ""}', 'wrong-kind: the variable `day` takes its type, not an empty text -> write {type: string, default: ""}'),
        ("vars: [day]", "wrong-kind: `vars` takes keys with values, not a list -> each is a key with its value: `day: …`"),
        ("limits: 20m", 'wrong-kind: `limits` takes keys with values, not the text "20m" -> write {call: 20m}'),
        ("states: {talking: {limits: 8s}}", 'wrong-kind: `limits` takes keys with values, not the text "8s" -> write {quiet: 8s}'),
        ("states: {talking: {limits: {quite: 8s}}}", 'unknown-key: `limits` of a state has no key `quite` -> did you mean "quiet"?'),
        ("states: {talking: {limits: {call: 8s}}}", "unknown-key: `limits` of a state has no key `call` -> of a state it stands under `after`: `after: {…: ending}`"),
        ("states: {talking: {limits: {answer: 8s}}}", "unknown-key: `limits` of a state has no key `answer` -> it holds for the whole call, and stands under `limits` at the top of the file"),
        ("states: {talking: {quiet: 8s}}", "unknown-key: a state has no key `quiet` -> it stands under `limits`: `limits: {quiet: …}`"),
        ("accept: quiet-too-long", 'wrong-kind: `accept` takes keys with values, not the text "quiet-too-long" -> each is a key with its reason: {quiet-too-long: why it is right here}'),
        ("accept: [no-way-on]", "wrong-kind: `accept` takes keys with values, not a list -> each is a key with its reason: {no-way-on: why it is right here}"),
        ("accept: [no-way-on: They hang up.]", "wrong-kind: `accept` takes keys with values, not a list -> take the list away: `no-way-on: …` stands there by itself"),
        ("accept: {no-wayon: They hang up.}", 'unknown-key: `accept` has no key `no-wayon` -> did you mean "no-way-on"?'),
        ("accept: {no-way-on: ' '}", "empty-text: the reason is empty -> say why it is right here"),
        ("accept: {no-way-on: }", "wrong-kind: a reason takes text, not nothing -> "),
        ("accept: {no-way-on: true}", "wrong-kind: a reason takes text, not the truth value true -> put quotes around it: \"true\""),
        ("accept: {no-way-on: 3}", "number-for-text: a reason takes text, not the number 3 -> put quotes around it: \"3\""),
        ("states: {talking: {accept: {no-way-on: [a]}}}", "wrong-kind: a reason takes text, not a list -> take the brackets away: a"),
        ("states: {talking: {accepts: {no-way-on: They hang up.}}}", 'unknown-key: a state has no key `accepts` -> did you mean "accept"?'),
        ("limits: {quite: 8s}", 'unknown-key: `limits` has no key `quite` -> did you mean "quiet"?'),
        ("tools: {end_call: The caller is done.}", 'wrong-kind: the tool `end_call` takes keys with values, not the text "The caller is done." -> write {description: "The caller is done."}'),
        ("use: pin.yaml", 'wrong-kind: `use` takes keys with values, not the text "pin.yaml" -> write {pin: pin.yaml}'),
        ("use: {pin: {file: pin.yaml}}", 'wrong-kind: `pin` takes text, not keys with values -> write it alone: "pin.yaml"'),
        ("states: {talking: {}, over: final}", 'wrong-kind: the state `over` takes keys with values, not the text "final" -> write `over: {final: true}`'),
        ("initial: [talking]", "wrong-kind: `initial` takes text, not a list -> take the brackets away: talking"),
        ("states: {talking: {entry: [{collect_digits: {tries: three}}], on: {dtmf.*: ending}}}", "wrong-type: `tries` of `collect_digits` takes an integer, not text -> "),
        ("states: {talking: {entry: [{http: {url: 'https://a.example/', retry: 3}}]}}", "wrong-kind: `retry` takes keys with values, not the number 3 -> write {times: 3}"),
        ("states: {talking: {entry: [{consult: {to: '+1555', trunk: T, accept: 1}}], on: {consult.*: ending}}}", 'wrong-kind: `accept` of `consult` takes keys with values, not the number 1 -> write {key: "1"}'),
        ("states: {talking: {flow: pin.yaml}}", "unknown-sub-flow: there is no sub-flow `pin.yaml` under `use` -> name it at the top, `use: {pin: pin.yaml}`, and write `flow: pin`"),
        ("states: {talking: {entry: [warm_transfer]}}", 'unknown-verb: there is no verb `warm_transfer` -> did you mean "consult"?'),
        ('states:\n  talking:\n    entry:\n      - say: "Hi.", interruptible: false', 'text-behind-quote: the text ends at its closing quote, but `, interruptible: false` follows -> put it into braces: `say: {text: "Hi.", interruptible: false}`; nothing behind this place was read'),
        ("states: {talking: {entry: [{collect_digits: {terminator: #}}]}}", 'unclosed-bracket: a comment begins here, and hides the `}` that would close what is open before it -> put quotes around what is no comment: "#"; nothing behind this place was read'),
    ],
)  # fmt: skip
def test_a_value_of_another_form_and_what_to_write(line, says):
    assert read(line + "\n") == [says]


@pytest.mark.parametrize(
    ("event", "hint"),
    [
        ("dial", "did you mean `dial.*`?"),
        ("dtmf", "did you mean `dtmf.*`?"),
        ("dtmf.12", "a row waits for one key; for several there is `collect_digits`"),
        ("key.1", "write `dtmf.1`"),
        ("'press.#'", "write `dtmf.pound`"),
        ("dtmf.A", "write `dtmf.a`"),
        ("finished", "did you mean `done`?"),
        ("call.ended", "did you mean `call.hangup`?"),
        ("disconnected", "did you mean `call.hangup`?"),
        ("timeout", "what a time does stands under `after`: `after: {20s: …}`"),
        ("else", "a row waits for an event, or for those of one family: `dial.*`"),
        ("'*'", "a row waits for an event, or for those of one family: `dial.*`"),
        ("dial.busy|dial.failed", "write a row for each event"),
        ("dial.busy or dial.failed", "write a row for each event"),
        ("dial.no-answer", 'did you mean "dial.no_answer"?'),
    ],
)
def test_events_of_other_languages(event, hint):
    [said] = read(f"states: {{talking: {{on: {{{event}: ending}}}}}}\n")
    assert (said.partition(":")[0], said.rpartition(" -> ")[2]) == ("unknown-event", hint)


@pytest.mark.parametrize(
    ("states", "hint"),
    [
        ("tools: {end: {description: x}}\nstates: {talking: {tools: [tool.end]}}", "write end"),
        ("agent: You are kind.", 'write {instructions: "You are kind."}'),
        ("session: openai/gpt-4.1", "write {llm: openai/gpt-4.1}"),
        (
            "events: {app.go: {why: {type: string, optional: true}}}\nsenders: {app.go: program}",
            "write `required: false`",
        ),
        ('states: {talking: {entry: [{say: {"Hello, you.", interruptible: false}}]}}', 'write `text: "Hello, you."`'),
        ("states: {talking: {entry: Hello.}}", 'to speak a text, write [{say: "Hello."}]'),
        ("states: {talking: {on: {dtmf.1: {ending}}}}", "take the braces away: ending"),
        ("states: {talking: {next: ending}}", "what follows stands under `on`: `on: {done: …}`"),
        ("states: {talking: {on: {dial.*: {do: [{outcome: event.result}]}}}}", 'write "{{ event.result }}"'),
    ],
)
def test_words_in_the_wrong_place(states, hint):
    assert [one.rpartition(" -> ")[2] for one in read(states + "\n")] == [hint]


def test_a_misspelt_version():
    _, defects = read_loads("callfow: 1\nname: x\ninitial: talking\nstates: {talking: {entry: [{say: Hello.}]}}\n")
    assert [f"{one.code}: {one.hint}" for one in defects] == ['unknown-key: did you mean "callflow"?']


@pytest.mark.parametrize("text", ["", "# later\n", "---", "---\n", "--- # later\n...\n", "~\n"])
def test_a_file_that_says_nothing(text):
    _, [one] = read_loads(text)
    assert (one.code, one.line, one.column) == ("empty-file", 1, 1)
