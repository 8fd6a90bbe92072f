"""Every code that a defect of a flow file may have: what it says, why, a wrong and a right example.

`callflow explain` and the reference are generated from this table. Codes are stable: a tool may depend on them.

An example is a piece of a flow file; `whole` adds what it leaves out. Where the defect lies in the file itself, and not
in what it says, there is no example.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple


class Code(NamedTuple):
    """`title` in a few words, `meaning` in sentences, and two examples, the first of which has the defect."""

    title: str
    meaning: str
    wrong: str = ""
    right: str = ""


def whole(example: str) -> str:
    """An example as a complete flow file."""
    if not example:
        return example
    head = ""
    if not re.search(r"^callflow:", example, re.MULTILINE):
        head += "callflow: 1\n"
    if not re.search(r"^name:", example, re.MULTILINE):
        head += "name: example\n"
    if not re.search(r"^initial:", example, re.MULTILINE):
        head += "initial: talking\n"
    if not re.search(r"^states:", example, re.MULTILINE):
        head += "states: {talking: {entry: [{say: Hello.}]}}\n"
    return head + example


_FILE = {
    "no-such-file": Code("No such file", "The path leads to no file; a sub-flow's path is looked up from the folder of the file that names it."),
    "not-a-file": Code("Not a regular file", "A flow is read from a regular file, or from standard input (`-`): a directory holds no flow, and a device or a named pipe could keep the reader waiting for ever."),
    "unreadable-file": Code("The file cannot be read", "The operating system refuses to open the file; the message has its reason."),
    "file-too-large": Code("The file is too large", "A flow file has at most 1,000,000 bytes. Put parts of it into files of their own, and name them under `use`."),
    "not-utf8": Code("Not UTF-8", "Flow files are text in UTF-8, with or without a byte order mark. The message names the first byte that is not."),
    "too-many-values": Code("Too many keys and values", "A file holds at most 50,000 keys and values. An alias counts as often as it is used, so that a few lines cannot grow into millions."),
    "too-many-defects": Code("Too many defects", "After 100 defects nothing more is read. Mend these first: many of them may have one cause."),
    "too-many-sub-flows": Code("Too many sub-flows", "Sub-flows stand at most 8 deep inside each other, and a flow has at most 100, each counted where it stands."),
}  # fmt: skip

_YAML = {
    "empty-file": Code("Nothing in the file", "The file is empty, or has only comments.", "# nothing yet\n", "callflow: 1\n"),
    "not-a-mapping": Code("No keys at the top", "A flow file is keys with values at its top level, not a list and not one text.", "- callflow: 1\n- name: example\n", "callflow: 1\nname: example\n"),
    "several-documents": Code("Several documents", "A file holds one YAML document; `---` begins another.", "description: One.\n---\ndescription: Two.\n", "description: One.\n"),
    "yaml-syntax": Code("Not YAML", "The text does not follow YAML's grammar, and none of the known traps explains why. Nothing behind the place is read.", "states:\n  talking\n  ending: {}\n", "states:\n  talking: {}\n"),
    "control-character": Code("A character that may not stand here", "NUL, control characters, and the line separators that only old YAML knows, may not stand in a flow file. Inside double quotes they can be written as escapes.", "description: a\u2028b\n", 'description: "a\\u2028b"\n'),
    "tab": Code("A tab as indentation", "YAML indents with spaces only.", "states:\n\ttalking: {}\n", "states:\n  talking: {}\n"),
    "bad-indentation": Code("Indentation that fits nothing", "Lines that belong together begin in the same column. A line further in belongs to the one above it.", "states:\n    talking: {}\n  closing: {}\n", "states:\n  talking: {}\n"),
    "missing-space": Code("A space is missing", "A key's `:` and an item's `-` are followed by a space.", "states:\n  talking:\n    description:Talks.\n    tools: []\n", "states:\n  talking:\n    description: Talks.\n    tools: []\n"),
    "colon-in-text": Code("`: ` inside a text", "In a text without quotes `: ` begins a value. Put quotes around the text.", "states:\n  talking:\n    entry:\n      - say: Note: we close at five.\n", 'states:\n  talking:\n    entry:\n      - say: "Note: we close at five."\n'),
    "quote-it": Code("A text that needs quotes", "A text cannot begin with @, `, %, *, &, |, >, `- `, `? `, a bracket or a brace: these mean something to YAML. Put quotes around it.", "states:\n  talking:\n    entry:\n      - say: @home we say hello.\n", 'states:\n  talking:\n    entry:\n      - say: "@home we say hello."\n'),
    "unquoted-template": Code("A template without quotes", "A value that begins with `{{` is a mapping for YAML. Put quotes around it.", "states:\n  talking:\n    entry:\n      - say: {{ call.id }}\n", 'states:\n  talking:\n    entry:\n      - say: "{{ call.id }}"\n'),
    "unclosed-quote": Code("A quote that is not closed", "A text in quotes ends at the next quote of its kind, however many lines later. The message names the line in which it opens.", 'states:\n  talking:\n    entry:\n      - say: "Hello.\n      - drain\n', 'states:\n  talking:\n    entry:\n      - say: "Hello."\n      - drain\n'),
    "text-behind-quote": Code("Text behind a closing quote", "A text in quotes ends at its closing quote. An apostrophe inside single quotes is written twice; an expression that begins with a quote needs other quotes around all of it.", "states:\n  talking:\n    entry:\n      - say: 'It's me.'\n", "states:\n  talking:\n    entry:\n      - say: \"It's me.\"\n"),
    "unclosed-bracket": Code("A bracket that is not closed", "Each [ needs its ], each { its }.", "states:\n  talking:\n    tools: [end_call\n    entry: []\n", "states:\n  talking:\n    tools: []\n    entry: []\n"),
    "unknown-escape": Code("An unknown escape", "Inside double quotes a backslash begins an escape. Write it twice, or take single quotes.", 'description: "C:\\data"\n', "description: 'C:\\data'\n"),
    "duplicate-key": Code("A key that stands twice", "A key stands once in a mapping: of two values one would be lost without a word.", "states:\n  talking: {}\n  talking: {}\n", "states:\n  talking: {}\n"),
    "unknown-tag": Code("An unknown tag", "`!name` in front of a value is a tag, and flow files have none beside YAML's own. A text that begins with `!` needs quotes.", "description: !important Yes.\n", 'description: "!important Yes."\n'),
    "unknown-alias": Code("An alias for nothing", "`*name` repeats what was marked `&name` further up. A text that begins with `*` needs quotes.", "description: *starred\n", 'description: "*starred"\n'),
    "recursive-alias": Code("An alias inside what it repeats", "A value cannot contain itself.", "x-notes: &loop [*loop]\n", "x-notes: &loop [one]\n"),
    "merge-key": Code("A merge key", "`<<` belongs to old YAML, and is a key like any other in YAML 1.2. What holds in every state belongs to the top level, where `on`, `after` and `silence` hold for all.", "x-rows: &rows {dtmf.0: talking}\nstates:\n  talking:\n    on:\n      <<: *rows\n", "states:\n  talking: {}\non:\n  dtmf.0: talking\n"),
    "complex-key": Code("A key that is no name", "A key is a name, never a list or a mapping, and never nothing.", "states:\n  talking: {}\n  ? [a, b]\n  : {}\n", "states:\n  talking: {}\n"),
    "too-deep": Code("Too deep", "Lists and mappings stand at most 100 deep inside each other.", "x-deep: " + "[" * 101 + "]" * 101 + "\n", "x-deep: [[[]]]\n"),
    "number-too-long": Code("A number with too many digits", "A number has at most 100 digits, and none is beyond 10^18. Put quotes around it if it is text.", "x-number: " + "9" * 101 + "\n", 'x-number: "' + "9" * 101 + '"\n'),
}  # fmt: skip

_KEYS = {
    "unknown-version": Code("Another version of the language", "`callflow: 1` says for which version of the language the file is written.", "callflow: 2\n", "callflow: 1\n"),
    "unknown-key": Code("An unknown key", "No such key stands here. Notes of your own begin with `x-`.", "states:\n  talking: {descripton: Talks.}\n", "states:\n  talking: {description: Talks., x-owner: Ann}\n"),
    "missing-key": Code("A key is missing", "Something cannot do without this key.", "tools:\n  end_call: {}\n", "tools:\n  end_call: {description: The caller wants to hang up.}\nstates:\n  talking: {tools: [end_call], on: {tool.end_call: ending}}\n"),
    "wrong-kind": Code("Another kind of value", "A list stands where a text is due, a text where a list is due, and so on. Only `true` and `false` are truth values: `yes` and `on` are text.", "states:\n  talking: {must_finish: yes}\n", "states:\n  talking: {must_finish: true}\n"),
    "number-for-text": Code("A number where text is due", "A number is never turned into text: +15551234567 would lose its plus, 007 its zeros. Put quotes around it.", "states:\n  talking: {entry: [{say: 12}]}\n", 'states:\n  talking: {entry: [{say: "12"}]}\n'),
    "wrong-type": Code("A value of another type", "A value, or what an expression gives, is not of the type that is due: text and numbers are never compared or mixed.", "vars: {tries: {type: integer, default: many}}\n", "vars: {tries: {type: integer, default: 3}}\nstates: {talking: {entry: [{say: \"{{ vars.tries }} tries.\"}]}}\n"),
    "bad-address": Code("A request to nowhere, or to whom another says", "The address of `http` begins with http:// or https:// and a host, written in the flow or read from `env`. What a variable, a caller or an event brings may stand behind them only, after a `/`, and is encoded there. `Host`, `Content-Length` and `Transfer-Encoding` are no headers for a flow to write.", 'vars: {shop: {type: string}}\nstates:\n  talking:\n    entry: [{http: "https://{{ vars.shop }}.example.com/orders"}]\n', 'vars: {shop: {type: string}}\nstates:\n  talking:\n    entry: [{http: "https://example.com/{{ vars.shop }}/orders"}]\n'),
    "bad-value": Code("A value that can never do", "The value has the right type and means nothing here: a word that is none of the choices, a number that is too small, a phone number without its plus, hours or a time zone that do not exist.", "answer: sometimes\n", "answer: manual\nstates: {talking: {entry: [answer, {say: Hello.}]}}\n"),
    "bad-duration": Code("No duration", "A duration is a whole number with its unit: 850ms, 12s, 10m, 1h. A bare number says nothing of its unit.", "states:\n  talking: {after: {30: ending}}\n", "states:\n  talking: {after: {30s: ending}}\n"),
    "bad-name": Code("No name", "Names of states, tools and variables have letters, digits and `_` (states also `-`), and hold no dots: a dot in a target leads inward.", "states:\n  talking: {}\n  the.end: {}\n", "states:\n  talking: {always: the_end}\n  the_end: {final: true}\n"),
    "duplicate-item": Code("Twice in a list", "An item stands once in a list of names.", "env: [CRM_KEY, CRM_KEY]\n", "env: [CRM_KEY]\nwrap_up: [{http: {url: https://example.com, headers: {key: \"{{ env.CRM_KEY }}\"}}}]\n"),
    "duplicate-name": Code("A name that is taken", "The result of an action is kept under a name of its own, not under that of a variable; a leg that is called has another name than one that comes by itself, and each of those an identity of its own.", "vars: {reply: {type: string, default: none}}\nstates:\n  talking:\n    entry: [{http: {url: https://example.com, as: reply}}]\n", "states:\n  talking:\n    entry: [{http: {url: https://example.com, as: reply}}]\n"),
    "unknown-type": Code("An unknown type", "Types are string, integer, number, boolean, phone, duration, and `list of` one of these.", "vars: {name: {type: str}}\n", "vars: {name: {type: string}}\nstates: {talking: {entry: [{say: \"Hello {{ vars.name }}.\"}]}}\n"),
    "unknown-field": Code("An unknown field", "What is called or emitted declares its parameters or fields, and this is none of them.", "python: {check: {parameters: {pin: string}}}\nstates:\n  talking:\n    entry: [{python: {name: check, arguments: {pin: \"1\", pim: \"2\"}}}]\n", "python: {check: {parameters: {pin: string}}}\nstates:\n  talking:\n    entry: [{python: {name: check, arguments: {pin: \"1\"}}}]\n"),
    "conflict": Code("Two files disagree", "A flow and its sub-flows share tools, events and Python actions: one name means one thing in all of them."),
    "undeclared-in-main": Code("Not declared in the main flow", "The main flow names all the environment variables and Python actions of its sub-flows, too: whoever runs it must know what it needs."),
}  # fmt: skip

_STATES = {
    "unknown-target": Code("An unknown target", "No state of that name can be seen from here. A name is looked up among the states inside this one, then its siblings, then outward; a dot leads inward.", "states:\n  talking: {on: {dtmf.1: bokking}}\n  booking: {}\n", "states:\n  talking: {on: {dtmf.1: booking}}\n  booking: {}\n"),
    "hidden-name": Code("A name that hides another", "From inside, this state's name would hide the outer one of the same name, and a target would lead to another state than its reader thinks.", "states:\n  talking: {initial: closing, states: {closing: {}}, on: {dtmf.1: closing}}\n  closing: {}\n", "states:\n  talking: {initial: saying, states: {saying: {}}, on: {dtmf.1: closing}}\n  closing: {}\n"),
    "crosses-regions": Code("From one region into another", "The regions of a parallel state do not lead into each other: all of them are active together. Let one `emit` an event that the other listens to.", "states:\n  talking:\n    parallel: true\n    states:\n      a: {on: {dtmf.1: b}}\n      b: {}\n", "states:\n  talking:\n    parallel: true\n    states:\n      a: {on: {dtmf.1: {do: [{emit: app.go}]}}}\n      b: {on: {app.go: {do: [{say: Go.}]}}}\n"),
    "missing-initial": Code("Where does it begin?", "A flow, and a state with inner states, says in which one it begins.", "states:\n  talking: {states: {greeting: {}}}\n", "states:\n  talking: {initial: greeting, states: {greeting: {}}}\n"),
    "no-way-in": Code("A state without a way in", "Nothing leads to this state: no row, no `initial`. A name in some row may be misspelt.", "states:\n  talking: {}\n  closing: {}\n", "states:\n  talking: {on: {dtmf.0: closing}}\n  closing: {}\n"),
    "bad-final": Code("A final state that is not final", "A final state ends what it stands in. It has entry actions and, at the top of a file, `returns`; nothing can happen in it.", "states:\n  talking: {always: over}\n  over: {final: true, on: {dtmf.1: talking}}\n", "states:\n  talking: {always: over}\n  over: {final: true}\n"),
    "bad-history": Code("A history state that is none", "A history state stands inside the state whose last inside it remembers, and has only `history` and `initial`, its default.", "states:\n  talking: {on: {dtmf.1: before}}\n  before: {history: shallow}\n", "states:\n  talking:\n    initial: asking\n    states:\n      asking: {}\n      before: {history: shallow}\n    on: {dtmf.1: waiting}\n  waiting: {on: {dtmf.2: talking.before}}\n"),
    "bad-parallel": Code("A parallel state that is none", "A parallel state has regions under `states`, all entered at once: no `initial`, and no region that is final itself.", "states:\n  talking: {parallel: true}\n", "states:\n  talking: {parallel: true, states: {a: {}, b: {}}}\n"),
    "two-insides": Code("Two insides", "A state has inner states, or a sub-flow, or a task: one of them.", "states:\n  talking: {task: get_email, initial: a, states: {a: {}}}\n", "states:\n  talking: {task: get_email}\n"),
    "no-flow-file": Code("No flow file", "A file under `use` has no key `callflow`, and so is no flow. Nothing of what it holds is shown: it may be anybody's."),
    "unknown-sub-flow": Code("An unknown sub-flow", "`flow` names one of the files under `use`.", "states:\n  talking: {flow: pin}\n"),
    "sub-flow-cycle": Code("A sub-flow that includes itself", "A sub-flow cannot stand inside itself, also not by way of others."),
}  # fmt: skip

_ROWS = {
    "unknown-event": Code("An unknown event", "There is no event of that name, or none that the pattern matches. A pattern ends in `.*` or `-*`. Your own events begin with `app.`; where a flow declares events under `events`, it declares all of them that it does not emit itself.", "states:\n  talking: {on: {call.hungup: ending}}\n", "states:\n  talking: {on: {call.hangup: ending}}\n"),
    "unknown-tool": Code("An unknown tool", "A state offers only tools that are declared under `tools`. A row may also wait for a tool of the agent's own; one whose name is almost that of a declared tool is a slip.", "tools: {end_call: {description: The caller wants to hang up.}}\nstates:\n  talking: {tools: [end_call], on: {tool.end_cal: ending}}\n", "tools: {end_call: {description: The caller wants to hang up.}}\nstates:\n  talking: {tools: [end_call], on: {tool.end_call: ending}}\n"),
    "unknown-leg": Code("An unknown leg", "A leg is made by `dial` or `consult`, under the name that is written there, or comes by itself and is told by its identity, under `legs`; `far_end` is the main one.", "states:\n  talking: {on: {leg.human.hangup: ending}}\n", "states:\n  talking:\n    entry: [{consult: {to: \"+15551234567\", trunk: ST_1}}]\n    on: {consult.*: ending, leg.human.hangup: ending}\n"),
    "tie": Code("Two rows that tie", "Of the rows that match an event an exact name beats a pattern, and a longer pattern a shorter one. Two of the same name tie.", "states:\n  talking:\n    on: {dtmf.*: ending}\n    ignore: [dtmf.*]\n", "states:\n  talking:\n    on: {dtmf.0: ending}\n    ignore: [dtmf.*]\n"),
    "never-reached": Code("A row that never has its turn", "The first row whose guard holds is taken; one without a guard always is, and those behind it never.", "states:\n  talking:\n    on:\n      dtmf.1: [ending, {do: [{say: Hello.}]}]\n", "states:\n  talking:\n    on:\n      dtmf.1: [{target: ending, when: state.visits > 1}, {do: [{say: Hello.}]}]\n"),
    "empty-row": Code("A row that does nothing", "A row has a target, or something to do. To do nothing about an event, list it under `ignore`.", "states:\n  talking:\n    on: {dtmf.1: }\n", "states:\n  talking:\n    ignore: [dtmf.1]\n"),
    "endless-always": Code("An `always` without end", "A row under `always` that stays where it is, and has no guard, would be taken again at once, for ever. So would rows without guards that lead round in a circle.", "states:\n  talking:\n    always: {do: [{log: Here.}]}\n", "states:\n  talking:\n    entry: [{log: Here.}]\n"),
    "done-at-top-level": Code("`done` at the top level", "The top level is never done: when the call reaches a final state, it is over. `done` is seen by the state that is done alone.", "on: {done: ending}\n", "states:\n  talking: {on: {done: ending}}\n"),
}  # fmt: skip

_ACTIONS = {
    "unknown-verb": Code("An unknown verb", "There is no action of that name.", "states:\n  talking: {entry: [{speak: Hello.}]}\n", "states:\n  talking: {entry: [{say: Hello.}]}\n"),
    "two-actions": Code("Two actions in one item", "Each action is an item of its own: they run one after the other.", "states:\n  talking:\n    entry:\n      - say: Hello.\n        wait_for_speech:\n", "states:\n  talking:\n    entry:\n      - say: Hello.\n      - wait_for_speech\n"),
    "empty-text": Code("An empty text", "The action cannot do without this text, and it is empty: nothing would be said, nobody dialled.", "states:\n  talking: {entry: [{say: \"\"}]}\n", "states:\n  talking: {entry: [{say: Hello.}]}\n"),
    "missing-argument": Code("An argument is missing", "The action cannot do without this argument.", "states:\n  talking: {entry: [say]}\n", "states:\n  talking: {entry: [{say: Hello.}]}\n"),
    "no-result": Code("No result to keep", "`as` keeps an action's result, and this one has none.", "states:\n  talking: {entry: [{mute: {as: quiet}}]}\n", "states:\n  talking: {entry: [{say: {text: Hello., as: greeting}}]}\n"),
    "not-repeatable": Code("Not tried again", "`retry` goes with actions that do no harm when they are done twice. A phone that is dialled twice rings twice.", "states:\n  talking: {entry: [{say: {text: Hello., retry: {times: 2}}}]}\n", "states:\n  talking: {entry: [{http: {url: https://example.com, retry: {times: 2}}}]}\n"),
    "speech-after-drain": Code("Speech after the conversation has ended", "`drain`, `aclose`, `hang_up` and `stand_by` end the conversation: nothing can be said after them. Say it before.", "states:\n  talking: {entry: [drain, {say: Goodbye.}]}\n", "states:\n  talking: {entry: [{say: Goodbye.}, drain]}\n"),
    "action-after-close": Code("An action after what it needs is closed", "The action needs the session, which an action before it has closed.", "states:\n  talking: {entry: [aclose, mute]}\n", "states:\n  talking: {entry: [mute, aclose]}\n"),
    "unknown-outcome": Code("An unknown outcome", "An outcome is one of those that every flow has, or one declared under `outcomes`.", "states:\n  talking: {entry: [{outcome: compleeted}]}\n", "states:\n  talking: {entry: [{outcome: completed}]}\n"),
    "unknown-variable": Code("An unknown variable", "`set` changes variables that are declared under `vars`.", "states:\n  talking: {entry: [{set: {tries: 1}}]}\n", "vars: {tries: {type: integer, default: 0}}\nstates:\n  talking: {entry: [{set: {tries: 1}}]}\n"),
    "unknown-python": Code("An unknown Python action", "What the program supplies is declared under `python`, with its parameters and what it returns.", "states:\n  talking: {entry: [{python: verify_pin}]}\n", "python: {verify_pin: {returns: {ok: boolean}}}\nstates:\n  talking: {entry: [{python: verify_pin}]}\n"),
    "bad-emit": Code("An event that is not yours", "A flow emits events of its own alone, `app.…`: `call.hangup` says that the far end has left, and only its leaving says so.", "states:\n  talking: {entry: [{emit: call.hangup}]}\n", "states:\n  talking: {entry: [{emit: app.bye}], on: {app.bye: ending}}\n"),
    "agent-leaves-two-legs": Code("The agent leaves two telephone legs", "Two telephone legs do not keep a room alive when the agent's job ends. `stand_by` stays, silent, until one of them has left, and then drops the line.", "states:\n  talking:\n    entry:\n      - consult: {to: \"+15551234567\", trunk: ST_1}\n      - hang_up: {for: agent}\n", "states:\n  talking:\n    entry:\n      - consult: {to: \"+15551234567\", trunk: ST_1}\n      - stand_by\n    on: {consult.*: ending}\n"),
}  # fmt: skip

_EXPRESSIONS = {
    "bad-expression": Code("No expression", "The text does not follow the grammar of expressions.", "states:\n  talking: {on: {call.hangup: {target: ending, when: event.by = 'caller'}}}\n", "states:\n  talking: {on: {call.hangup: {target: ending, when: event.by == 'caller'}}}\n"),
    "not-in-language": Code("Not in this language", "Other languages have this; expressions, which are small on purpose, have another way or none.", "states:\n  talking: {on: {call.hangup: {target: ending, when: event.by.lower() == 'caller'}}}\n", "states:\n  talking: {on: {call.hangup: {target: ending, when: lower(event.by) == 'caller'}}}\n"),
    "unknown-name": Code("An unknown name", "No such variable, field or environment variable is declared, or known at this place. The fields of `event` are those of the event on which the row stands; of a pattern, those that all its events share.", "states:\n  talking: {on: {call.hangup: {target: ending, when: event.bye == 'caller'}}}\n", "states:\n  talking: {on: {call.hangup: {target: ending, when: event.by == 'caller'}}}\n"),
    "unknown-function": Code("An unknown function", "There is no such function; the reference lists all of them.", "states:\n  talking: {on: {call.hangup: {target: ending, when: strip(event.by) == 'caller'}}}\n", "states:\n  talking: {on: {call.hangup: {target: ending, when: trim(event.by) == 'caller'}}}\n"),
    "no-event": Code("No event to read", "Entry and exit lists stand on no event: by the time they run it may be long past. `set` a variable on the transition, and read that.", "states:\n  talking: {entry: [{say: \"You entered {{ event.digits }}.\"}]}\n", "vars: {number: {type: string, default: nothing}}\nstates:\n  talking:\n    entry: [{collect_digits: {prompt: Your number?, count: 4}}]\n    on: {dtmf.input: {target: saying, do: [{set: {number: \"{{ event.digits }}\"}}]}, dtmf.*: ending}\n  saying: {entry: [{say: \"You entered {{ vars.number }}.\"}], on: {done: ending}}\n"),
    "wrong-arguments": Code("Wrong arguments of a function", "A function is called with too many or too few arguments, or with ones of another type.", "states:\n  talking: {on: {call.hangup: {target: ending, when: len(3) > 1}}}\n", "states:\n  talking: {on: {call.hangup: {target: ending, when: len(event.by) > 1}}}\n"),
    "too-large": Code("Too large an expression", "An expression is longer or more deeply nested than the language allows: compute it in steps, with `set`, or in Python.", "states:\n  talking: {on: {call.hangup: {target: ending, when: '" + "(" * 60 + "true" + ")" * 60 + "'}}}\n", "states:\n  talking: {on: {call.hangup: {target: ending, when: '(state.visits > 1)'}}}\n"),
    "unclosed-template": Code("A template that is not closed", "A text opens a {{ that it never closes with }}.", "states:\n  talking: {entry: [{say: \"Hello {{ call.id\"}]}\n", "states:\n  talking: {entry: [{say: \"Hello {{ call.id }}\"}]}\n"),
}  # fmt: skip

CODES: Mapping[str, Code] = {**_FILE, **_YAML, **_KEYS, **_STATES, **_ROWS, **_ACTIONS, **_EXPRESSIONS}
"""Every code of a defect in a flow file. The checker's own stand in `callflow.verify.codes`."""
