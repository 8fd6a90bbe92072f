"""The codes of the checker's rules, as in `callflow.flowfile.codes`."""

from __future__ import annotations

from collections.abc import Mapping

from callflow.flowfile.codes import Code

CODES: Mapping[str, Code] = {
    "hidden-end": Code(
        "The end of the call is hidden",
        "`call.hangup`, `room.disconnected` and `job.shutdown` end the call, whatever state it is in. A row that stays, "
        "an inner pattern or an `ignore` that takes one of them keeps a call going that nobody is in. To finish "
        "something first, make the state `must_finish`: the event is kept until it is done.",
        "states:\n  talking:\n    on: {call.*: {do: [{log: Something.}]}}\n",
        "states:\n  talking:\n    must_finish: true\n    on: {call.dropped: {do: [{log: Something.}]}}\n",
    ),
    "unhandled-end": Code(
        "The end of the call is not handled",
        "`call.hangup`, `room.disconnected` and `job.shutdown` lead to `ending:` or to a final state from every state. The "
        "standard rows see to it; where they are replaced, the new ones must hold without a guard.",
        "on: {call.hangup: {target: ending, when: event.by == 'caller'}}\n",
        "on: {call.hangup: [{target: ending, when: event.by == 'caller', do: [{outcome: hung_up}]}, ending]}\n",
    ),
    "end-leads-nowhere": Code(
        "The end of the call leads nowhere",
        "The row leads to a state in which the call waits for somebody outside, although nobody may be left. A state on "
        "the way to the end leads on by itself: by `done`, `always` or `after`.",
        "states:\n  talking: {on: {call.hangup: saving}}\n  saving: {on: {app.saved: ending}}\nevents: {app.saved: {}}\nsenders: {app.saved: program}\n",
        "states:\n  talking: {on: {call.hangup: saving}}\n  saving: {entry: [{log: Saved.}], on: {done: ending}}\n",
    ),
    "ending-never-over": Code(
        "An ending that does not end",
        "The state that `ending:` names leads on to a final state by itself: by `done`, mostly, and by a row without a guard at "
        "last. Without that a call stays in it for ever, also when everybody has left. Whoever writes an `ending` of their own writes its rows as well.",
        "states:\n  talking: {entry: [{say: Hello.}]}\n  ending: {entry: [hang_up]}\n",
        "states:\n  talking: {entry: [{say: Hello.}]}\n  ending: {entry: [hang_up], on: {done: closed}}\n",
    ),
    "never-done": Code(
        "A state that is never done",
        "A state with an inside is done when that has come to a final state, a parallel one when all its regions have. Without "
        "one, a row for `done` is never taken; and of a state that must finish, which nothing outside may leave before it is "
        "done, a call would never come out.",
        "states:\n  talking:\n    must_finish: true\n    initial: one\n    states: {one: {after: {5s: two}}, two: {after: {5s: one}}}\n",
        "states:\n  talking:\n    must_finish: true\n    initial: one\n    states: {one: {after: {5s: two}}, two: {after: {5s: one}}}\n"
        "    after: {1m: ending}\n",
    ),
    "end-kept-for-ever": Code(
        "An end that is kept for ever",
        "While a state must finish, a hang-up, a lost line and a shutdown are kept until it is done. Where only somebody "
        "outside can bring it further, that may never be: the caller who would press the key has hung up. Nor are they taken "
        "where states that must finish lead straight into each other, round and round.",
        "states:\n  talking:\n    must_finish: true\n    initial: asking\n    on: {done: ending}\n"
        "    states: {asking: {on: {dtmf.1: asked}}, asked: {final: true}}\n",
        "states:\n  talking:\n    must_finish: true\n    initial: asking\n    on: {done: ending}\n"
        "    states: {asking: {on: {dtmf.1: asked}, after: {30s: asked}}, asked: {final: true}}\n",
    ),
    "returns-to-nobody": Code(
        "Nobody gets what is returned",
        "`returns` brings values to the `done` of the state whose sub-flow has ended. A final state of the main flow ends "
        "the call, and there is no such state. Check a file that is meant as a sub-flow together with the flow that uses it.",
        "states:\n  talking: {on: {dtmf.0: over}}\n  over: {final: true, returns: {kind: pressed}}\n",
        "states:\n  talking: {on: {dtmf.0: over}}\n  over: {final: true}\n",
    ),
    "nobody-on-the-line": Code(
        "Nobody is on the line yet",
        "What is for the far end stands before the `dial`, or the `answer`, that brings it on the line, or comes while it rings. "
        "Speech waits there until its time is out, and keys and transfers fail.",
        'states:\n  talking:\n    entry: [{say: Hello.}, {dial: {to: "+15551234567", trunk: ST_1}}]\n    on: {dial.answered: ending, dial.*: ending}\n',
        'states:\n  talking:\n    entry: [{dial: {to: "+15551234567", trunk: ST_1}}]\n    on: {dial.answered: greeting, dial.*: ending}\n'
        "  greeting: {entry: [{say: Hello.}], on: {done: ending}}\n",
    ),
    "never-answered": Code(
        "An offered call that is never answered",
        "With `answer: manual` a call rings until the flow takes it (`answer`) or refuses it (`reject`). Without either the "
        "caller hears it ring, and nothing else.",
        "answer: manual\nstates:\n  talking: {entry: [{log: A call.}], on: {done: ending}}\n",
        "answer: manual\nstates:\n  talking: {entry: [answer, {say: Hello.}], on: {done: ending}}\n",
    ),
    "answered-already": Code(
        "A call that is answered already",
        "`answer` and `reject` are for calls that are offered, with `answer: manual`. Otherwise a call is answered before the "
        "flow begins.",
        "states:\n  talking: {entry: [answer, {say: Hello.}], on: {done: ending}}\n",
        "answer: manual\nstates:\n  talking: {entry: [answer, {say: Hello.}], on: {done: ending}}\n",
    ),
    "unclear-digits": Code(
        "How many keys?",
        "`collect_digits` takes `count`, for exactly so many keys, or `min` and `max`, of which `max` is the larger.",
        "states:\n  talking: {entry: [{collect_digits: {prompt: Your PIN?, count: 4, max: 6}}], on: {dtmf.*: ending}}\n",
        "states:\n  talking: {entry: [{collect_digits: {prompt: Your PIN?, min: 4, max: 6}}], on: {dtmf.*: ending}}\n",
    ),
    "never-decided": Code(
        "A decision that cannot be made",
        "The tool by which a human takes or declines a `consult` has to be offered while it runs, or the model cannot call it; "
        "and one key or tool is one answer, not both.",
        "tools: {take_call: {description: They take the call.}}\n"
        'states:\n  talking:\n    entry: [{consult: {to: "+15551234567", trunk: ST_1, briefing: Ann wants a refund., accept: {tool: take_call}}}]\n'
        "    on: {consult.*: ending}\n",
        "tools: {take_call: {description: They take the call.}}\n"
        'states:\n  talking:\n    tools: [take_call]\n    entry: [{consult: {to: "+15551234567", trunk: ST_1, briefing: Ann wants a refund., accept: {tool: take_call}}}]\n'
        "    on: {consult.*: ending}\n",
    ),
    "result-not-taken": Code(
        "A result that no row takes",
        "A warning. A dial, a consultation or a transfer that does not succeed is a failure where no row takes its result, and "
        "leads to the ending, although somebody may be on the line.",
        'states:\n  talking:\n    entry: [{transfer: {to: "tel:+15551234567"}}]\n    on: {transfer.completed: ending}\n',
        'states:\n  talking:\n    entry: [{transfer: {to: "tel:+15551234567"}}]\n    on: {transfer.completed: ending, transfer.failed: sorry}\n'
        "  sorry: {entry: [{say: That did not work.}], on: {done: ending}}\n",
    ),
    "redial-too-late": Code(
        "A pause in which the room is closed",
        "A warning. livekit-server closes a room 20 seconds after its last caller has left, unless its `departure_timeout` is "
        "set to more, and a dial that nobody answers leaves it as well: after a longer pause the call has ended with `line_lost`.",
        'states:\n  talking:\n    entry: [{dial: {to: "+15551234567", trunk: ST_1}}]\n    on: {dial.answered: ending, dial.*: pause}\n'
        "  pause: {after: {30s: talking}}\n",
        'states:\n  talking:\n    entry: [{dial: {to: "+15551234567", trunk: ST_1}}]\n    on: {dial.answered: ending, dial.*: pause}\n'
        "  pause: {after: {15s: talking}}\n",
    ),
    "private-value-shown": Code(
        "A private value that would be shown",
        "An outcome, a tag and the reason of a shutdown go into what others keep: reports, counts, LiveKit's own log. A value that "
        "is `pii`, that is made of one (`first(vars.iban, 8)`), or that a caller said, does not belong there.",
        "vars: {iban: {type: string, default: none, pii: true}}\nstates:\n  talking: {on: {dtmf.0: ending}}\n"
        '  ending: {entry: [hang_up, {shutdown: "{{ first(vars.iban, 8) }}"}], on: {done: closed}}\n',
        "vars: {iban: {type: string, default: none, pii: true}}\nstates:\n  talking: {on: {dtmf.0: {target: ending, when: is_set(vars.iban)}}}\n"
        '  ending: {entry: [hang_up, {shutdown: "{{ call.outcome }}"}], on: {done: closed}}\n',
    ),
    "private-line": Code(
        "A line of the log that will be a digest",
        "A warning. Where a private value stands in a line, its place is hidden. What is worked out from one, or was said by the "
        "caller, cannot be found in the line, and so the whole line is hidden.",
        'states:\n  talking:\n    on: {session.user_input_transcribed: {do: [{log: "They said {{ event.transcript }}"}]}}\n',
        "states:\n  talking:\n    on: {session.user_input_transcribed: {do: [{log: They said something.}]}}\n",
    ),
    "no-time-bound": Code(
        "No bound on time",
        "Some bound on time is in force in every state: an `after` of its own or further out, or the limit on the whole "
        "call. Without one a call can last for ever.",
        "standard: false\nending: ending\non: {call.hangup: ending, room.disconnected: ending, job.shutdown: ending}\n"
        "states:\n  talking: {}\n  ending: {entry: [hang_up], on: {done: over}}\n  over: {final: true}\n",
        "standard: false\nending: ending\nlimits: {call: 1h}\non: {call.hangup: ending, room.disconnected: ending, job.shutdown: ending}\n"
        "states:\n  talking: {}\n  ending: {entry: [hang_up], on: {done: over}}\n  over: {final: true}\n",
    ),
    "never-interrupted": Code(
        "Last words that are never interrupted",
        "A warning. What is said on the way to the ending, and in it, is not interruptible unless the flow says so: there is no "
        "interruption after which it would be said again.",
        "states:\n  talking: {on: {dtmf.1: {target: ending, do: [{say: {text: Goodbye., repeat_if_interrupted: 2}}]}}}\n",
        "states:\n  talking: {on: {dtmf.1: {target: ending, do: [{say: {text: Goodbye., repeat_if_interrupted: 2, interruptible: true}}]}}}\n",
    ),
    "never-due": Code(
        "A timer that is never due",
        "The limit of the call, or of its silence, ends the call before the timer has its turn. A state that must finish keeps "
        "the limit until it is done, and may have longer ones.",
        "limits: {call: 10m}\nstates:\n  talking: {after: {15m: {do: [{say: Are we done?}]}}}\n",
        "limits: {call: 20m}\nstates:\n  talking: {after: {15m: {do: [{say: Are we done?}]}}}\n",
    ),
    "silent-wait": Code(
        "A wait that its silence cuts off",
        "A warning. Where a caller waits for a program or a colleague nobody speaks, so that `limits: {silence: ...}`, or a "
        "`silence` row further out, ends the call before the state's own `after` has its turn, and without the words that stand "
        "there. Music is no silence, nor is `hold`.",
        "initial: queue\nevents: {app.agent_free: {}}\nsenders: {app.agent_free: program}\nstates:\n  queue:\n    on: {app.agent_free: ending}\n"
        "    after: {5m: {target: ending, do: [{say: Nobody is free. Goodbye.}]}}\n",
        "initial: queue\nevents: {app.agent_free: {}}\nsenders: {app.agent_free: program}\nlimits: {silence: 6m}\nstates:\n  queue:\n    on: {app.agent_free: ending}\n"
        "    after: {5m: {target: ending, do: [{say: Nobody is free. Goodbye.}]}}\n",
    ),
    "constant-guard": Code(
        "A guard that decides nothing",
        "A guard, or a part of it, is the same in every call: numbers that are compared with each other, a name with itself, "
        "or one name with values that exclude each other.",
        "states:\n  talking:\n    on: {dtmf.1: {target: ending, when: state.visits > 1 and state.visits < 1}}\n",
        "states:\n  talking:\n    on: {dtmf.1: {target: ending, when: state.visits > 1}}\n",
    ),
    "no-such-sound": Code(
        "A sound that is not there",
        "What `play`, `hold` and `consult` play is a file beside the flow, with something in it. Where a template makes the name "
        "nobody can look before the call.",
        "states:\n  talking: {entry: [{play: welcome.mp3}]}\n",
        "states:\n  talking: {entry: [{say: Welcome.}]}\n",
    ),
    "never-used": Code(
        "Declared, and never used",
        "A warning. A variable that nothing reads or sets, an environment variable that nothing reads, an event that nobody "
        "waits for, an outcome that nobody names, a tool that no state offers, Python that nothing calls, a file under `use` "
        "that is no state's inside: something was forgotten, or may go.",
        "vars: {tries: {type: integer, default: 0}}\nstates:\n  talking: {on: {dtmf.0: ending}}\n",
        "vars: {tries: {type: integer, default: 0}}\nstates:\n  talking: {on: {dtmf.0: {target: ending, when: vars.tries > 2}, "
        'dtmf.*: {do: [{set: {tries: "{{ vars.tries + 1 }}"}}]}}}\n',
    ),
    "hides-the-event": Code(
        "A field that hides what every event has",
        "A warning. Every event has `event.name`, its own name, and `event.time`, when it came. A payload that has a field of that "
        "name wins, and its rows cannot ask for the event's own: with a pattern such as `tool.*` they would read one thing of one "
        "event and another of the next.",
        "tools: {book: {description: Books., parameters: {name: string}}}\nstates:\n  talking: {tools: [book], on: {tool.book: ending}}\n",
        "tools: {book: {description: Books., parameters: {guest: string}}}\nstates:\n  talking: {tools: [book], on: {tool.book: ending}}\n",
    ),
    "waits-for-nobody": Code(
        "A wait that nobody ends",
        "Only the limit on the whole call bounds this state, and nobody who is on the line can end it. Add an `after`, "
        "or say with `waits` why it may last so long.",
        "events: {app.free: {}}\nsenders: {app.free: program}\nstates:\n  talking: {on: {app.free: dialing}}\n"
        '  dialing: {entry: [{dial: {to: "+15551234567", trunk: ST_1}}], on: {dial.*: ending}}\n',
        "events: {app.free: {}}\nsenders: {app.free: program}\nstates:\n  talking: {on: {app.free: dialing}, after: {5m: ending}}\n"
        '  dialing: {entry: [{dial: {to: "+15551234567", trunk: ST_1}}], on: {dial.*: ending}}\n',
    ),
    "after-cuts-must-finish": Code(
        "An `after` that cuts what must finish",
        "A state that must finish is left by its own `after` before its list can be through, given the time limits of its "
        "actions and their tries.",
        "states:\n  talking:\n    must_finish: true\n    entry: [{say: {text: Goodbye., timeout: 30s}}]\n    after: {10s: ending}\n",
        "states:\n  talking:\n    must_finish: true\n    entry: [{say: {text: Goodbye., timeout: 5s}}]\n    after: {10s: ending}\n",
    ),
    "always-too-early": Code(
        "An `always` that looks too early",
        "`always` looks at the variables as they are, also while lists run: it sees the old value. To decide after a list, "
        "use `done` with guards.",
        "vars: {ready: {type: boolean, default: false}}\nstates:\n  talking:\n    entry: [{say: One moment.}, {set: {ready: true}}]\n"
        "    always: {target: ending, when: not vars.ready}\n",
        "vars: {ready: {type: boolean, default: false}}\nstates:\n  talking:\n    entry: [{say: One moment.}, {set: {ready: true}}]\n"
        "    on: {done: {target: ending, when: vars.ready}}\n",
    ),
    "tool-not-offered": Code(
        "A tool that nobody offers",
        "A row waits for a tool that no state offers to the model, so that it can never be called.",
        "tools: {end_call: {description: The caller wants to hang up.}}\nstates:\n  talking: {on: {tool.end_call: ending}}\n",
        "tools: {end_call: {description: The caller wants to hang up.}}\nstates:\n"
        "  talking: {tools: [end_call], on: {tool.end_call: ending}}\n",
    ),
    "program-alone": Code(
        "An event that the program alone may send",
        "A warning. Whoever is in the room, the caller too, can send data packets and RPCs. An event of your own is taken from "
        "those alone whom `senders:` names: `program` (`call.send`), `agents`, `anyone`, a leg by its name; where nothing is "
        "said, from the program.",
        "events: {app.approved: {}}\nstates:\n  talking: {on: {app.approved: ending}, after: {5m: ending}}\n",
        "events: {app.approved: {}}\nsenders: {app.approved: program}\nstates:\n  talking: {on: {app.approved: ending}, after: {5m: ending}}\n",
    ),
    "nobody-resumes": Code(
        "A call that nobody resumes",
        "A warning. `on_crash: resume` is read, and nothing acts on it yet: a call whose process dies is over, and "
        "`callflow.guard(server)` drops its line.",
        "on_crash: resume\nstates:\n  talking: {on: {dtmf.0: ending}}\n",
        "states:\n  talking: {on: {dtmf.0: ending}}\n",
    ),
    "not-a-template": Code(
        "A text that reads like an expression",
        "An expression stands in two braces, `{{ vars.day }}`. One brace, a dollar sign, or the name alone are text like any other: "
        "they are said, called or kept as they stand.",
        "vars: {day: {type: string, default: Monday}}\nstates:\n  talking: {entry: [{say: 'See you on {vars.day}.'}]}\n",
        "vars: {day: {type: string, default: Monday}}\nstates:\n  talking: {entry: [{say: 'See you on {{ vars.day }}.'}]}\n",
    ),
    "action-twice": Code(
        "The same action twice",
        "A warning. The same action with the same arguments stands twice in a list, one behind the other: the caller hears it twice, or "
        "the second one has nothing to do. Sounds and keys may be repeated.",
        "states:\n  talking: {entry: [{say: Hello.}, {say: Hello.}], on: {done: ending}}\n",
        "states:\n  talking: {entry: [{say: Hello.}], on: {done: ending}}\n",
    ),
    "line-down-and-stays": Code(
        "A call goes on without a line",
        "`delete_room` and `hang_up` drop the line, and the room's end is their own: no event of it comes. A list that holds one "
        "of them leads on, by the row's `target`, or by `done`, `after` or `always` of the state: else the call waits for nobody, "
        "until LiveKit cuts it 15 s later.",
        "states:\n  talking: {entry: [{say: Hello.}], on: {dtmf.0: {do: [{say: Goodbye.}, delete_room]}}}\n",
        "states:\n  talking: {entry: [{say: Hello.}], on: {dtmf.0: {target: ending, do: [{say: Goodbye.}]}}}\n",
    ),
    "shutdown-keeps-line": Code(
        "A shutdown that leaves the caller alone",
        "`shutdown` ends the agent's job. It drops nobody: the far end hears silence. `delete_room` drops the line.",
        "states:\n  talking: {on: {dtmf.0: ending}}\n  ending: {entry: [drain, shutdown], on: {done: closed}}\n",
        "states:\n  talking: {on: {dtmf.0: ending}}\n  ending: {entry: [drain, delete_room, shutdown], on: {done: closed}}\n",
    ),
}
