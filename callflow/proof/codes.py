"""The codes of what the proof finds, as in `callflow.flowfile.codes`."""

from __future__ import annotations

from collections.abc import Mapping

from callflow.flowfile.codes import CODES as FILE_CODES
from callflow.flowfile.codes import Code
from callflow.verify.codes import CODES as CHECKED

_END = "tools: {end_call: {description: The caller is done.}}\n"
_ENDS = "    tools: [end_call]\n    on: {tool.end_call: {target: ending, do: [{say: Goodbye.}]}}\n"

CODES: Mapping[str, Code] = {
    "no-way-on": Code(
        "Nothing leads on but a hang-up",
        "Somebody is on the line in this state, and of all that can happen nothing leads on but that they hang up, that something "
        "breaks, or the limits of the whole call (`limits`). A state leads on by a row, a tool that it offers, `done`, `after`, "
        "`silence`. One that waits on purpose says for what: `waits: for the other side to hang up`.",
        "states:\n  talking: {entry: [{say: Nobody is free.}]}\n",
        "states:\n  talking: {entry: [{say: Nobody is free.}], on: {done: ending}}\n",
    ),
    "quiet-too-long": Code(
        "A person hears nothing for a long time",
        "For more than 30 s, a warning, or for more than `limits: {quiet: 8s}`, an error, somebody on the line hears neither speech nor "
        "music nor a tone, nobody else is there to talk to, and it is not their turn: the model does not listen, or nothing that they "
        "could say or press leads anywhere. Say or play something (`play` with `loop: true`, the `music` of a hold), or lead on sooner.",
        "states:\n  talking: {entry: [{say: One moment.}], after: {50s: ending}}\n",
        "states:\n  talking: {entry: [{say: One moment.}], after: {20s: ending}}\n",
    ),
    "endless-round": Code(
        "Round and round",
        "States follow each other by timers, failures, results and `done` alone, and no count and no timer around them ends it: a "
        "number is dialled again and again, or a caller who says nothing hears the same until the limits of the whole call.",
        "states:\n  talking: {entry: [{collect_digits: {prompt: 'Your number?', count: 1}}], on: {dtmf.input: ending, dtmf.*: again}}\n"
        "  again: {entry: [{say: I heard nothing.}], on: {done: talking}}\n",
        "states:\n  talking: {entry: [{collect_digits: {prompt: 'Your number?', count: 1}}], on: {dtmf.input: ending, dtmf.*: again}}\n"
        "  again: {entry: [{say: I heard nothing.}], on: {done: [{target: ending, when: state.visits > 2}, talking]}}\n",
    ),
    "endless-cycle": Code(
        "An endless cycle",
        "Transitions that need no event follow each other without end. The runtime breaks them off after 100, and the call fails: "
        "nothing that their guards read changes on the way round.",
        "vars: {open: {type: boolean, default: true}}\nstates:\n  talking: {always: {target: other, when: vars.open}, after: {5s: ending}}\n"
        "  other: {always: {target: talking, when: vars.open}, after: {5s: ending}}\n",
        "vars: {open: {type: boolean, default: true}}\nstates:\n  talking: {always: {target: other, when: vars.open}, after: {5s: ending}}\n"
        "  other: {always: {target: talking, when: not vars.open}, after: {5s: ending}}\n",
    ),
    "row-always-beaten": Code(
        "A row that another one always beats",
        "What it is for does happen, and each time another row is taken: one of a state further in, one closer to the event's name, or "
        "one written before it. An inner `dial.*` beats an outer `dial.answered`. A warning, where an outer row for one key is taken only "
        "while something is being said, and an inner `dtmf.*` takes the key wherever somebody is to press one.",
        'on: {dtmf.1: ending}\nstates:\n  talking: {on: {"dtmf.*": {do: [{log: A key.}]}}, after: {9s: ending}}\n',
        "on: {dtmf.1: ending}\nstates:\n  talking: {on: {dtmf.2: {do: [{log: A key.}]}}, after: {9s: ending}}\n",
    ),
    "speech-cut": Code(
        "Speech is cut by the flow itself",
        "While something is being said to somebody on the line, and could be heard to its end, the flow drops the line or closes the "
        "session; or their state is left since something else has ended meanwhile, and nothing more is said. `drain` and `wait_for_speech` let it "
        "end; so does `say` without `wait: false`.",
        f"{_END}states:\n  talking:\n    tools: [end_call]\n    on: {{tool.end_call: {{target: ending, do: [{{say: {{text: Goodbye., wait: false}}}}]}}}}\n"
        "  ending: {entry: [delete_room, drain, aclose, shutdown], on: {done: closed}}\n",
        f"{_END}states:\n  talking:\n    tools: [end_call]\n    on: {{tool.end_call: {{target: ending, do: [{{say: {{text: Goodbye., wait: false}}}}]}}}}\n"
        "  ending: {entry: [drain, delete_room, aclose, shutdown], on: {done: closed}}\n",
    ),
    "never-heard-out": Code(
        "Speech that is never heard to its end",
        "What is said here is cut in every call: its state is left, by nobody's doing, before it can have been heard. A `say` with "
        "`wait: false` in a list after which the state is `done` is one; so is an `after` that is shorter than the text.",
        "states:\n  talking: {entry: [{say: {text: Goodbye and thank you., wait: false}}], on: {done: over}}\n"
        "  over: {entry: [{log: Over.}], on: {done: ending}}\n",
        "states:\n  talking: {entry: [{say: Goodbye and thank you.}], on: {done: over}}\n"
        "  over: {entry: [{log: Over.}], on: {done: ending}}\n",
    ),
    "question-then-over": Code(
        "A question, and the line drops",
        "A warning. Somebody is asked something, and the flow goes straight on to drop the line, before they can answer; or they are told to "
        "press a key, and once that is said nothing listens for it. What ends with a question mark, of any language, is a question; so are "
        "English words that ask for an answer, and what the model is told to `ask`, or to find out. A machine that has answered is not asked.",
        "states:\n  talking: {entry: [{say: Can I do anything else for you?}], on: {done: ending}}\n",
        "states:\n  talking: {entry: [{say: Press one if I can do anything else for you.}], on: {dtmf.1: more}, after: {8s: ending}}\n"
        "  more: {entry: [{say: We will call you back.}], on: {done: ending}}\n",
    ),
    "key-too-early": Code(
        "A key that is pressed while the menu is read is lost",
        "A warning. A menu is read by `say`, and only then keys are taken: by a `collect_digits` without a prompt, or by the rows of the next "
        "state. Whoever knows the menu presses a key at once: it goes to nobody, or to a row for something else. During the `prompt` of "
        "`collect_digits` keys count, and so they do in a state that says what its own rows are for.",
        "states:\n  talking:\n    entry: [{say: Please key in your PIN.}, {collect_digits: {count: 4}}]\n    on: {dtmf.*: ending}\n",
        "states:\n  talking:\n    entry: [{collect_digits: {prompt: Please key in your PIN., count: 4}}]\n    on: {dtmf.*: ending}\n",
    ),
    "tool-not-taken": Code(
        "A tool that nothing takes",
        "A state offers a tool to the model, the model calls it there, and no row takes that: whoever has asked for it waits.",
        "tools: {end_call: {description: The caller is done.}, human: {description: A person.}}\nstates:\n  talking:\n"
        "    tools: [end_call, human]\n    on: {tool.end_call: ending}\n",
        "tools: {end_call: {description: The caller is done.}, human: {description: A person.}}\nstates:\n  talking:\n"
        "    tools: [end_call, human]\n    on: {tool.end_call: ending, tool.human: {target: ending, do: [{say: Nobody is there.}]}}\n",
    ),
    "guard-always-so": Code(
        "A guard that is always so",
        "A warning. In all calls that can be this guard is true each time it is asked, or never: nothing changes what it reads, or "
        "nothing that could reaches it.",
        "vars: {tries: {type: integer, default: 0}}\nstates:\n  talking: {on: {dtmf.1: {do: [{set: {tries: 1}}]}}, "
        "after: {5s: [{target: ending, when: vars.tries > 3}, more]}}\n  more: {after: {5s: ending}}\n",
        "vars: {tries: {type: integer, default: 0}}\nstates:\n  talking: {on: {dtmf.1: {do: [{set: {tries: '{{ vars.tries + 1 }}'}}]}}, "
        "after: {5s: [{target: ending, when: vars.tries > 3}, more]}}\n  more: {after: {5s: ending}}\n",
    ),
    "dropped-together": Code(
        "Two people are brought together, and dropped",
        "A human has accepted a consultation, or has answered, and the flow goes straight on to drop the line for everybody. `stand_by` "
        "leaves it to them until one hangs up; `hang_up` with `for: agent` takes the agent out alone.",
        "tools: {human: {description: A person.}}\nstates:\n  talking: {tools: [human], on: {tool.human: asking}}\n"
        '  asking:\n    entry: [{consult: {to: "+15551234567", trunk: ST_1, timeout: 25s}}]\n'
        "    on: {consult.accepted: ending, consult.*: {target: ending, do: [{say: Nobody is there.}]}}\n",
        "tools: {human: {description: A person.}}\nstates:\n  talking: {tools: [human], on: {tool.human: asking}}\n"
        '  asking:\n    entry: [{consult: {to: "+15551234567", trunk: ST_1, timeout: 25s}}]\n'
        "    on: {consult.accepted: both, consult.*: {target: ending, do: [{say: Nobody is there.}]}}\n"
        "  both: {must_finish: true, entry: [stand_by], on: {done: ending}}\n",
    ),
    "left-alone": Code(
        "One person is left on the line, alone",
        "`hang_up` with `for: agent` takes the agent out and leaves the line to those who are on it. Here there is but one: they hear "
        "nothing any more, and nobody drops the line.",
        "states:\n  talking: {entry: [{say: Nobody is free just now.}], on: {done: leaving}}\n"
        "  leaving: {must_finish: true, entry: [{hang_up: {for: agent}}], on: {done: ending}}\n",
        "states:\n  talking: {entry: [{say: Nobody is free just now.}], on: {done: ending}}\n",
    ),
    "waits-too-long": Code(
        "Music and nothing else for more than ten minutes",
        "A warning. Somebody hears music, or a tone, and it is never their turn: a hold that nothing resumes, a place in a queue without an "
        "`after`. Where that is meant `waits:` says what for.",
        "env: [MUSIC]\ntools: {human: {description: A person.}}\nevents: {app.free: {}}\nsenders: {app.free: program}\nstates:\n"
        "  talking: {tools: [human], on: {tool.human: queue}}\n  queue: {entry: [{hold: {music: '{{ env.MUSIC }}'}}], on: {app.free: ending}}\n",
        "env: [MUSIC]\ntools: {human: {description: A person.}}\nevents: {app.free: {}}\nsenders: {app.free: program}\nstates:\n"
        "  talking: {tools: [human], on: {tool.human: queue}}\n"
        "  queue: {entry: [{hold: {music: '{{ env.MUSIC }}'}}], on: {app.free: ending}, after: {5m: ending}}\n",
    ),
    "music-goes-on": Code(
        "Music that lets no `silence` count",
        "A warning. `play` with `loop` goes on until the state that has begun it is left, and while it plays no `silence` counts. Here that is "
        "so as long as the state with the `silence` is active, or where the model talks with whoever hears it; or what has been waited for is said "
        "over it. `duck` turns it down while somebody speaks.",
        "env: [MUSIC]\nstates:\n  talking:\n    entry: [{say: Press one if you know the song.}, {play: {file: '{{ env.MUSIC }}', loop: true}}]\n"
        "    silence: {25s: ending}\n    on: {dtmf.1: more}\n  more: {entry: [{say: Right.}], on: {done: ending}}\n",
        "env: [MUSIC]\nstates:\n  talking:\n    entry: [{say: Press one if you know the song.}, {play: {file: '{{ env.MUSIC }}', loop: true}}]\n"
        "    after: {25s: ending}\n    on: {dtmf.1: more}\n  more: {entry: [{say: Right.}], on: {done: ending}}\n",
    ),
    "rings-for-nobody": Code(
        "A telephone rings for nobody",
        "The far end has gone, and somebody else is still being called: whoever picks up hears nobody. A call in the `do` of a row with "
        "a target is owed, and goes on whatever happens; in the `entry` of a state it is cancelled when the state is left.",
        "tools: {human: {description: A person.}}\nstates:\n  talking:\n    tools: [human]\n    on: {tool.human: {target: ringing, do: [{dial: "
        '{to: "+15551234567", trunk: ST_1, leg: human, play_dialtone: true}}]}}\n'
        "  ringing: {on: {dial.answered: both, dial.*: talking}}\n  both: {entry: [stand_by], on: {done: ending}}\n",
        "tools: {human: {description: A person.}}\nstates:\n  talking:\n    tools: [human]\n    on: {tool.human: ringing}\n"
        '  ringing: {entry: [{dial: {to: "+15551234567", trunk: ST_1, leg: human, play_dialtone: true}}], '
        "on: {dial.answered: both, dial.*: talking}}\n  both: {entry: [stand_by], on: {done: ending}}\n",
    ),
    "nobody-left": Code(
        "A call that goes on for nobody",
        "The far end has hung up, nobody else is on the line, and the call goes on for more than five minutes: a state that must "
        "finish takes too long, or keeps what would lead on.",
        "states:\n  talking: {must_finish: true, entry: [{say: One moment.}, {log: Waiting.}], initial: inside, on: {done: ending}, "
        "states: {inside: {after: {10m: over}}, over: {final: true}}}\n",
        "states:\n  talking: {must_finish: true, entry: [{say: One moment.}, {log: Waiting.}], initial: inside, on: {done: ending}, "
        "states: {inside: {after: {20s: over}}, over: {final: true}}}\n",
    ),
    "result-lost": Code(
        "A result that not every row takes",
        "There are rows for this result, all with guards, and in some calls none of them holds. Then it is a failure, and the call ends, "
        "whoever is on the line. Of what the model asks for by a tool nothing is done then, and it is not told so: a warning.",
        'states:\n  talking:\n    entry: [{transfer: {to: "tel:+15551234567", play_dialtone: true}}]\n    on:\n      transfer.completed: ending\n'
        "      transfer.failed: {target: sorry, when: event.sip_status_code == 486}\n  sorry: {entry: [{say: They are busy.}], on: {done: ending}}\n",
        'states:\n  talking:\n    entry: [{transfer: {to: "tel:+15551234567", play_dialtone: true}}]\n    on:\n      transfer.completed: ending\n'
        "      transfer.failed: sorry\n  sorry: {entry: [{say: They are busy.}], on: {done: ending}}\n",
    ),
    "stands-by-for-one": Code(
        "Nobody else is on the line",
        "`stand_by` leaves the line to those who are on it, and drops it as soon as there are fewer than two. Here there is but one from the "
        "beginning: whoever it is is hung up on.",
        "tools: {human: {description: A person.}}\nstates:\n  talking: {tools: [human], on: {tool.human: together}}\n"
        "  together: {must_finish: true, entry: [stand_by], on: {done: ending}}\n",
        "tools: {human: {description: A person.}}\nstates:\n  talking: {tools: [human], on: {tool.human: asking}}\n"
        '  asking: {entry: [{consult: {to: "+15551234567", trunk: ST_1, timeout: 25s}}], on: {consult.accepted: together, consult.*: talking}}\n'
        "  together: {must_finish: true, entry: [stand_by], on: {done: ending}}\n",
    ),
    "dialled-twice": Code(
        "Somebody is dialled who is on the line",
        "A leg that is on the line is not dialled a second time: that is `dial.failed`. The way back to a state that dials leads through "
        "their hang-up, or the dial is for another `leg`.",
        'states:\n  talking:\n    entry: [{dial: {to: "+15551234567", trunk: ST_1}}]\n    on: {dial.answered: asking, dial.*: ending}\n'
        "  asking: {entry: [{say: Press one.}], on: {dtmf.1: ending}, after: {20s: talking}}\n",
        'states:\n  talking:\n    entry: [{dial: {to: "+15551234567", trunk: ST_1}}]\n    on: {dial.answered: asking, dial.*: ending}\n'
        "  asking: {entry: [{say: Press one.}], on: {dtmf.1: ending}, after: {20s: ending}}\n",
    ),
    "action-never-run": Code(
        "An action that no call comes to",
        "What stands before it in the list leads away each time: the results of a `transfer` or a `consult` are rows that leave the state, "
        "and what is left of its entry list is dropped.",
        'states:\n  talking:\n    entry: [{transfer: {to: "tel:+15551234567", play_dialtone: true}}, {say: I am putting you through.}]\n'
        "    on: {transfer.*: ending}\n",
        'states:\n  talking:\n    entry: [{say: I am putting you through.}, {transfer: {to: "tel:+15551234567", play_dialtone: true}}]\n'
        "    on: {transfer.*: ending}\n",
    ),
    "row-never-taken": Code(
        "A row for what never comes",
        "A warning. While this state is active nothing begins what the row waits for the result of, or the tool is not offered there: a dial "
        "without `detect_machine` brings no `amd.*`. Or it is for a key, and where somebody is to press one `collect_digits` takes it. Or "
        "it is a timer, and one around it that is no longer always leads out of the state before.",
        "states:\n  talking: {entry: [{say: One moment.}], on: {amd.human: ending}, after: {20s: ending}}\n",
        "states:\n  talking: {entry: [{say: One moment.}, detect_machine], on: {amd.*: ending}, after: {20s: ending}}\n",
    ),
    "never-entered": Code(
        "A state that no call comes to",
        "A warning. Rows lead to this state, and none of them is taken in any call: what sets it off never happens where it is written, comes "
        "too late, or its guard is never true there.",
        "states:\n  talking: {entry: [{say: One moment.}], on: {done: ending}, after: {2m: late}}\n"
        "  late: {entry: [{say: That took long.}], on: {done: ending}}\n",
        "states:\n  talking: {entry: [{say: One moment.}], on: {done: ending}, after: {20s: late}}\n"
        "  late: {entry: [{say: That took long.}], on: {done: ending}}\n",
    ),
    "cut-short": Code(
        "A call or a transfer that is always cut short",
        "A warning. The state's own `after` leaves it before the time is out that its `consult`, `transfer` or `dial` has there: whoever is "
        "called is hung up on while it still rings, or as they are told what it is about, and a transfer goes on at the telephone all the same. "
        "Of a `dial` that counts where its `ringing_timeout` is written.",
        "tools: {human: {description: A person.}}\nstates:\n  talking: {tools: [human], on: {tool.human: asking}}\n  asking:\n"
        '    entry: [{consult: {to: "+15551234567", trunk: ST_1, timeout: 40s}}]\n    after: {15s: {target: talking, do: [{say: Nobody is there.}]}}\n'
        "    on: {consult.accepted: both, consult.*: talking}\n  both: {must_finish: true, entry: [stand_by], on: {done: ending}}\n",
        "tools: {human: {description: A person.}}\nstates:\n  talking: {tools: [human], on: {tool.human: asking}}\n  asking:\n"
        '    entry: [{consult: {to: "+15551234567", trunk: ST_1, timeout: 25s}}]\n'
        "    on: {consult.accepted: both, consult.*: talking}\n  both: {must_finish: true, entry: [stand_by], on: {done: ending}}\n",
    ),
    "outcome-too-early": Code(
        "An outcome, and the call goes on",
        "A warning. The outcome of a call is the first one that is named. Here it is named, and the row leads back to the state in which it was "
        "taken: a goodbye, and the conversation begins anew.",
        f"{_END}states:\n  talking:\n    tools: [end_call]\n    on: {{tool.end_call: {{target: talking, do: [{{say: Goodbye.}}, {{outcome: completed}}]}}}}\n"
        "    silence: {20s: ending}\n",
        f"{_END}states:\n  talking:\n    tools: [end_call]\n    on: {{tool.end_call: {{target: ending, do: [{{say: Goodbye.}}, {{outcome: completed}}]}}}}\n"
        "    silence: {20s: ending}\n",
    ),
    "cut-off": Code(
        "The line drops without a word",
        "A warning. A request, the program's own action or a recording has failed, or a text reads what is not there or no number, and no row "
        "takes that, or the one for the request says nothing; or a person has answered, or speaks, or somebody else is told goodbye: and the flow goes straight on to drop the line. Whoever is on it is told nothing. What may fail and matters to nobody is `optional`.",
        "env: [CRM]\nstates:\n  talking: {entry: [{http: '{{ env.CRM }}'}, {say: You are known to us. Goodbye.}], on: {done: ending}}\n",
        "env: [CRM]\nstates:\n  talking: {entry: [{http: '{{ env.CRM }}'}, {say: You are known to us. Goodbye.}], on: {done: ending, failed: sorry}}\n"
        "  sorry: {entry: [{say: I cannot look that up just now. Goodbye.}], on: {done: ending}}\n",
    ),
    "said-to-nobody": Code(
        "Words that nobody hears",
        "Something is said to everybody while the far end is on hold, and nobody else is on the line. A hold lasts, through states, until "
        "`resume`; with `to: far_end` they hear it on hold, too.",
        f"{_END}states:\n  talking: {{entry: [{{say: What can I do for you?}}], silence: {{20s: ending}}, tools: [end_call], on: {{tool.end_call: held}}}}\n"
        "  held: {entry: [hold], after: {9s: {target: ending, do: [{say: Nobody is free. Goodbye.}]}}}\n",
        f"{_END}states:\n  talking: {{entry: [{{say: What can I do for you?}}], silence: {{20s: ending}}, tools: [end_call], on: {{tool.end_call: held}}}}\n"
        "  held: {entry: [hold], after: {9s: {target: ending, do: [resume, {say: Nobody is free. Goodbye.}]}}}\n",
    ),
    "nobody-speaks": Code(
        "It is the caller's turn, and nobody has said so",
        "A warning. Somebody has just come on the line, has waited (for a transfer, a call or a look-up, on hold, with music), or has pressed a "
        "key, and the model listens now. It speaks only when it is asked to, or spoken to: until the caller says something there is silence. So it "
        "is where keys are waited for, by `collect_digits` without a prompt say, and nobody has said so.",
        f"{_END}states:\n  talking:\n    instructions: Help the caller.\n    silence: {{20s: ending}}\n{_ENDS}",
        f"{_END}states:\n  talking:\n    instructions: Help the caller.\n    entry: [{{say: What can I do for you?}}]\n    silence: {{20s: ending}}\n{_ENDS}",
    ),
    "goodbye-and-on": Code(
        "A goodbye, and the call goes on",
        "A warning. Somebody on the line is told goodbye, or that we hang up now, and the flow leads straight on to a conversation with "
        "them, or to a call to somebody else. Goodbye is what is said so in some languages; a question asks nothing more.",
        f"{_END}states:\n  talking:\n    entry: [{{say: What can I do for you?}}]\n    silence: {{20s: {{do: [{{say: I hear nothing. Goodbye.}}]}}}}\n{_ENDS}",
        f"{_END}states:\n  talking:\n    entry: [{{say: What can I do for you?}}]\n    silence: {{20s: {{target: ending, do: [{{say: I hear nothing. Goodbye.}}]}}}}\n{_ENDS}",
    ),
    "talks-to-machine": Code(
        "The model talks with a machine",
        "A warning. A voicemail or an announcement has answered, and the flow leads on to where the model talks with whoever hears it; or no row "
        "takes the verdict, and the model talks on. So it is of a menu where the other machines have rows, and of `amd.uncertain` where `amd.human` has one. "
        "A menu that is read to a voicemail is another, and words that are said before `detect_machine` looks who has answered. A voicemail is left a message, an announcement is hung up on; a menu (`amd.machine-ivr`) may be talked to.",
        'states:\n  talking: {entry: [{dial: {to: "+15551234567", trunk: ST_1, detect_machine: true}}], on: {dial.answered: who, dial.*: ending}}\n'
        "  who: {on: {amd.*: hello}}\n  hello: {entry: [{generate_reply: Greet them.}], instructions: Help them., silence: {20s: ending}}\n",
        'states:\n  talking: {entry: [{dial: {to: "+15551234567", trunk: ST_1, detect_machine: true}}], on: {dial.answered: who, dial.*: ending}}\n'
        "  who: {on: {amd.machine-*: ending, amd.*: hello}}\n  hello: {entry: [{generate_reply: Greet them.}], instructions: Help them., silence: {20s: ending}}\n",
    ),
    "no-outcome": Code(
        "The one end without an outcome",
        "A warning. Wherever else calls of this flow end an outcome is named, and by the row of this tool, or of this timer, none: the record says `none`, as it "
        "does of a call that came to nothing.",
        f"{_END}states:\n  talking:\n    entry: [{{say: What can I do for you?}}]\n    silence: {{20s: {{target: ending, do: [{{outcome: timed_out}}]}}}}\n{_ENDS}",
        f"{_END}states:\n  talking:\n    entry: [{{say: What can I do for you?}}]\n    silence: {{20s: {{target: ending, do: [{{outcome: timed_out}}]}}}}\n"
        "    tools: [end_call]\n    on: {tool.end_call: {target: ending, do: [{say: Goodbye.}, {outcome: completed}]}}\n",
    ),
    "accepted-for-nothing": Code(
        "Something accepted that does not happen",
        "A warning. `accept` allows what no call of this flow comes to: it was mended since, or stands in another state. Left in, it "
        "would hide a fault that is made later.",
        "states:\n  talking: {entry: [{say: One moment.}], accept: {quiet-too-long: It rings at the bank.}, after: {20s: ending}}\n",
        "states:\n  talking: {entry: [{say: One moment.}], accept: {quiet-too-long: It rings at the bank.}, after: {50s: ending}}\n",
    ),
}

EVERY_CODE: Mapping[str, Code] = {**FILE_CODES, **CHECKED, **CODES}
"""All codes that `callflow check` may print: the file's, the checker's, then those of the proof."""

IN_NO_CALL = frozenset({
    "row-always-beaten", "guard-always-so", "row-never-taken", "action-never-run", "never-entered", "cut-short",
    "accepted-for-nothing",
})  # fmt: skip
"""What is told since no call shows another thing: of a file that several states use, only where it is so wherever it is used."""
