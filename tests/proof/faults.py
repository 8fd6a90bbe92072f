"""Flows with one fault each, the code by which it is told, and what is written in its place where it is mended."""

from __future__ import annotations

from typing import NamedTuple

END = "tools: {end_call: {description: The caller is done.}}\n"
OFFERS = "tools: [end_call], on: {tool.end_call: {target: ending, do: [{say: Goodbye.}]}"


class Fault(NamedTuple):
    """A flow with a fault, of this code, and its story. `mended`: what is written in place of what, one time each."""

    code: str
    wrong: str
    mended: dict[str, str]
    story: tuple[str, ...] = ()

    @property
    def right(self) -> str:
        text = self.wrong
        for old, new in self.mended.items():
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        return text


_REMINDS = """
env: [TRUNK]
vars: {number: phone}
initial: dialing
states:
  dialing:
    entry: [{dial: {to: "{{ vars.number }}", trunk: "{{ env.TRUNK }}", detect_machine: true}}]"""

FAULTS = {
    "hold without music while what the caller has asked for is looked up": Fault(
        "quiet-too-long",
        """
env: [STOCK]
vars: {drug: {type: string, default: ""}}
tools: {is_there: {description: Is a drug there?, parameters: {drug: string}}}
initial: talking
states:
  talking:
    entry: [{generate_reply: {instructions: Ask for the drug.}}]
    tools: [is_there]
    silence: {25s: {target: ending, do: [{say: Goodbye.}]}}
    on: {tool.is_there: {target: asking, do: [{set: {drug: "{{ event.drug }}"}}]}}
  asking:
    entry:
      - hold
      - http: {url: "{{ env.STOCK }}/drugs/{{ vars.drug }}", timeout: 20s, retry: {times: 3, backoff: 1s}, optional: true}
      - resume
    on: {done: talking}
""",
        {"      - hold\n": '      - hold: {music: "builtin:hold_music"}\n'},
        (
            "0 s: the call begins.",
            "2 s: the caller is on the line. In talking. The model speaks (Ask for the drug.).",
            "4 s: the model calls is_there (drug: something). In asking. The caller is on hold, in silence.",
            "5 s: http is asked.",
            "Whoever is on the line hears nothing for up to 1m 31s.",
        ),
    ),
    "a machine is noted, and nobody hangs up": Fault(
        "no-way-on",
        """
env: [TRUNK]
vars: {number: phone}
initial: dialing
states:
  dialing:
    entry: [{dial: {to: "{{ vars.number }}", trunk: "{{ env.TRUNK }}", detect_machine: true}}]
    on: {dial.answered: screening, dial.*: ending}
  screening: {on: {amd.human: greeting, amd.*: machine}}
  machine: {entry: [{outcome: machine}]}
  greeting: {entry: [{say: Hello.}], on: {done: ending}}
""",
        {"[{outcome: machine}]": "[{outcome: machine}], on: {done: ending}"},
        (
            "0 s: the call begins. In dialing. The callee is called.",
            "2 s: the callee is on the line.",
            "3 s: In screening.",
            "5 s: a menu has answered. In machine. Outcome: machine.",
            "Nothing happens any more.",
        ),
    ),
    "a key that no row takes": Fault(
        "no-way-on",
        """
initial: menu
states:
  menu:
    entry: [{collect_digits: {prompt: One or two., count: 1}}]
    on:
      dtmf.input: [{target: ending, when: 'event.digits == "1"'}, {target: ending, when: 'event.digits == "2"'}]
      dtmf.no_input: ending
      dtmf.no_match: ending
""",
        {"""when: 'event.digits == "2"'}]""": """when: 'event.digits == "2"'}, ending]"""},
        (
            "0 s: the call begins.",
            '2 s: the caller is on the line. In menu. The caller hears "One or two." and is asked for keys.',
            "3 s: the keys are 0. No row takes that.",
            "Nothing happens any more.",
        ),
    ),
    "a region without an end": Fault(
        "no-way-on",
        """
env: [CRM]
initial: waiting
states:
  waiting:
    parallel: true
    on: {done: ending}
    states:
      music: {entry: [{say: One moment.}]}
      asking: {initial: http, states: {http: {entry: [{http: {url: "{{ env.CRM }}"}}], on: {done: got, failed: got}}, got: {final: true}}}
""",
        {
            "music: {entry: [{say: One moment.}]}": "music: {initial: one, states: {one: {entry: [{say: One moment.}], "
            "on: {done: all}}, all: {final: true}}}"
        },
    ),
    "a hold that a failure leaves on": Fault(
        "quiet-too-long",
        f"""
env: [CRM]
{END}initial: looking
states:
  looking: {{entry: [hold, {{http: {{url: "{{{{ env.CRM }}}}"}}}}, resume], on: {{done: talking, failed: talking}}}}
  talking: {{{OFFERS}}}}}
""",
        {'"{{ env.CRM }}"}': '"{{ env.CRM }}", optional: true}', "failed: talking": "failed: ending"},
        (
            "0 s: the call begins.",
            "2 s: the caller is on the line. In looking. The caller is on hold, in silence.",
            "3 s: http is asked.",
            "4 s: http fails. In talking.",
            "Whoever is on the line hears nothing for up to 1h.",
        ),
    ),
    "dialled again for ever": Fault(
        "endless-round",
        """
env: [TRUNK]
vars: {number: phone}
initial: dialing
states:
  dialing:
    entry: [{dial: {to: "{{ vars.number }}", trunk: "{{ env.TRUNK }}"}}]
    on: {dial.answered: greeting, dial.busy: pause, dial.*: ending}
  pause: {after: {60s: dialing}}
  greeting: {entry: [{say: Hello.}], on: {done: ending}}
""",
        {"dial.busy: pause": "dial.busy: [{target: pause, when: state.visits < 3}, ending]"},
        (
            "0 s: the call begins. In dialing. The callee is called.",
            "1 s: the callee's line is busy. In pause.",
            "61 s: 60s of pause are over. In dialing. The callee is called.",
            "And so on, round and round.",
        ),
    ),
    "dialled again at once, for ten minutes": Fault(
        "endless-round",
        """
env: [TRUNK]
vars: {number: phone}
after: {10m: ending}
initial: dialing
states:
  dialing:
    entry: [{dial: {to: "{{ vars.number }}", trunk: "{{ env.TRUNK }}"}}]
    on: {dial.answered: greeting, dial.*: dialing}
  greeting: {entry: [{say: Hello.}], on: {done: ending}}
""",
        {"dial.*: dialing": "dial.*: [{target: dialing, when: state.visits < 3}, ending]"},
    ),
    "whoever hangs up is called again": Fault(
        "endless-round",
        """
env: [TRUNK]
vars: {number: phone}
on: {call.hangup: dialing}
initial: dialing
states:
  dialing:
    entry: [{dial: {to: "{{ vars.number }}", trunk: "{{ env.TRUNK }}"}}]
    on: {dial.answered: greeting, dial.*: ending}
  greeting: {entry: [{say: Hello.}], on: {done: ending}}
""",
        {"call.hangup: dialing": "call.hangup: ending"},
    ),
    "the same message for ten minutes": Fault(
        "endless-round",
        """
after: {10m: ending}
initial: talking
states:
  talking: {entry: [{say: Nobody is there.}], on: {done: talking}}
""",
        {"after: {10m: ending}": "after: {1m: ending}"},
    ),
    "a failure that leads to where it came from": Fault(
        "endless-round",
        """
env: [CRM]
on: {failed: loading}
initial: loading
states:
  loading: {entry: [{http: {url: "{{ env.CRM }}"}}], on: {done: ending}}
""",
        {"failed: loading": "failed: ending"},
    ),
    "whoever answers is hung up on": Fault(
        "row-always-beaten",
        """
env: [TRUNK]
vars: {number: phone}
on: {dial.answered: greeting}
initial: dialing
states:
  dialing:
    entry: [{dial: {to: "{{ vars.number }}", trunk: "{{ env.TRUNK }}"}}]
    on: {dial.*: ending}
  greeting: {entry: [{say: Hello.}], on: {done: ending}}
""",
        {"on: {dial.answered: greeting}\n": "", "{dial.*: ending}": "{dial.answered: greeting, dial.*: ending}"},
        (
            "0 s: the call begins. In dialing. The callee is called.",
            "2 s: the callee is on the line.",
            "3 s: In ending.",
        ),
    ),
    "a room that is deleted while the goodbye is said": Fault(
        "speech-cut",
        """
initial: talking
states:
  talking: {on: {dtmf.0: {target: ending, do: [{say: {text: Goodbye., wait: false}}]}}}
  ending: {entry: [delete_room, drain, aclose, shutdown], on: {done: closed}}
""",
        {"delete_room, drain": "drain, delete_room"},
    ),
    "a line that drops while the model talks": Fault(
        "speech-cut",
        f"""
{END}initial: talking
states:
  talking: {{entry: [generate_reply], after: {{60s: ending}}, {OFFERS}}}}}
  ending: {{entry: [delete_room, aclose, shutdown], on: {{done: closed}}}}
""",
        {"[delete_room, aclose": "[drain, delete_room, aclose"},
    ),
    "a line that drops while the model talks, after ten minutes of it": Fault(
        "speech-cut",
        f"""
{END}after: {{10m: ending}}
initial: talking
states:
  talking: {{entry: [generate_reply], silence: {{30s: {{target: ending, do: [{{say: Goodbye.}}]}}}}, {OFFERS}}}}}
  ending: {{entry: [delete_room, aclose, shutdown], on: {{done: closed}}}}
""",
        {"[delete_room, aclose": "[drain, delete_room, aclose"},
        (
            "0 s: the call begins.",
            "2 s: the caller is on the line. In talking. The model speaks.",
            "Until 31 s the caller hears nothing.",
            '31 s: the caller says "…".',
            "Until 60 s the caller hears nothing.",
            '60 s: the caller says "…".',
            "And so on.",
            "600 s: 10m of the call are over. In ending. The line drops.",
            "If the model was speaking, it is cut.",
        ),
    ),
    "a goodbye that its own state cuts": Fault(
        "never-heard-out",
        """
initial: talking
states:
  talking: {entry: [{say: {text: Goodbye and thank you., wait: false}}], on: {done: over}}
  over: {entry: [{log: Over.}], on: {done: ending}}
""",
        {"{text: Goodbye and thank you., wait: false}": "Goodbye and thank you."},
    ),
    "a farewell of eight seconds in a state that lasts two": Fault(
        "never-heard-out",
        """
tools: {end_call: {description: The caller is done.}}
initial: talking
states:
  talking:
    entry: [{generate_reply: {instructions: Help.}}]
    tools: [end_call]
    on: {tool.end_call: bye}
  bye:
    entry:
      - say: Thank you very much for calling. We look forward to seeing you on Monday, and please bring your insurance card. Goodbye.
    after: {2s: {target: ending, do: [{outcome: completed}]}}
""",
        {"{2s: ": "{12s: "},
        (
            "0 s: the call begins.",
            "2 s: the caller is on the line. In talking. The model speaks (Help.).",
            (
                '4 s: the model calls end_call. In bye. The caller hears "Thank you very much for calling. We look forward to seeing you on '
                'Monday, and please bring your insurance card. Goodbye."'
            ),
            '6 s: 2s of bye are over. In ending. "Thank you very much for calling. We loo…" is cut.',
        ),
    ),
    "a farewell that only a voice in a hurry gets through": Fault(
        "never-heard-out",
        """
initial: bye
states:
  bye:
    entry:
      - say: Thank you very much for calling. We look forward to seeing you on Monday, and please bring your insurance card. Goodbye.
    after: {4s: ending}
""",
        {"after: {4s: ending}": "on: {done: ending}"},
    ),
    "a question, and the line drops": Fault(
        "question-then-over",
        """
tools: {end_call: {description: The caller is done.}}
initial: talking
states:
  talking:
    entry: [{generate_reply: {instructions: Help.}}]
    tools: [end_call]
    on: {tool.end_call: sure}
  sure:
    entry: [{say: Is there anything else that I can do for you?}]
    on: {done: {target: ending, do: [{outcome: completed}]}}
""",
        {"Is there anything else that I can do for you?": "Then that is all. Goodbye."},
        (
            "0 s: the call begins.",
            "2 s: the caller is on the line. In talking. The model speaks (Help.).",
            '4 s: the model calls end_call. In sure. The caller hears "Is there anything else that I can do for you?"',
            "4.875 s: In ending. Outcome: completed.",
            "5.875 s: the line drops.",
        ),
    ),
    "the model asks, and a look-up later the line drops": Fault(
        "question-then-over",
        """
env: [URL]
initial: asking
states:
  asking:
    entry: [{generate_reply: {instructions: Ask whether they want to hear more.}}]
    on: {done: noting}
  noting: {entry: [{http: {url: "{{ env.URL }}", as: noted}}, {say: Goodbye.}], on: {done: ending, failed: {target: ending, do: [{say: Goodbye.}]}}}
""",
        {"Ask whether they want to hear more.": "Say that this is all."},
    ),
    "a hold with music that nothing resumes": Fault(
        "waits-too-long",
        """
env: [TRUNK, NUMBER, MUSIC]
tools: {end_call: {description: The caller is done.}, human: {description: A person.}}
initial: talking
states:
  talking:
    entry: [{generate_reply: {instructions: Help.}}]
    tools: [end_call, human]
    silence: {30s: {target: ending, do: [{say: Goodbye.}]}}
    on:
      tool.human: holding
      tool.end_call: {target: ending, do: [{say: Goodbye.}, {outcome: completed}]}
  holding:
    entry:
      - hold: {music: "{{ env.MUSIC }}"}
      - dial: {to: "{{ env.NUMBER }}", trunk: "{{ env.TRUNK }}", leg: colleague, ringing_timeout: 20s}
    on: {dial.answered: together, dial.*: nobody}
  nobody: {entry: [{say: Nobody is free.}], on: {done: talking}}
  together: {must_finish: true, entry: [resume, stand_by], on: {done: ending}}
""",
        {"entry: [{say: Nobody": "entry: [resume, {say: Nobody"},
    ),
    "music of a state around that plays on while the model talks": Fault(
        "music-goes-on",
        """
env: [URL, MUSIC]
tools: {look: {description: Look it up.}, end_call: {description: The caller is done.}}
initial: desk
states:
  desk:
    entry: [{play: {file: "{{ env.MUSIC }}", loop: true}}]
    initial: looking
    tools: [end_call]
    silence: {30s: {target: ending, do: [{say: Goodbye.}]}}
    on: {tool.end_call: {target: ending, do: [{say: Goodbye.}]}}
    states:
      looking: {entry: [{http: {url: "{{ env.URL }}", timeout: 20s}}], on: {done: telling, failed: telling}}
      telling: {entry: [{generate_reply: {instructions: Tell them.}}], tools: [look], on: {tool.look: looking}}
""",
        {"loop: true}": "loop: true, duck: 0.1}"},
    ),
    "the agent leaves, and the caller is alone": Fault(
        "left-alone",
        """
tools: {end_call: {description: The caller is done.}, human: {description: A person.}}
initial: talking
states:
  talking:
    entry: [{generate_reply: {instructions: Help.}}]
    tools: [end_call, human]
    silence: {30s: {target: ending, do: [{say: Goodbye.}]}}
    on:
      tool.human: waiting
      tool.end_call: {target: ending, do: [{say: Goodbye.}, {outcome: completed}]}
  waiting:
    every: {20s: {do: [{say: Somebody is on the way.}]}}
    after: {3m: nobody}
    on: {room.participant_connected: leaving}
  nobody: {entry: [{say: Nobody can come.}], on: {done: leaving}}
  leaving: {must_finish: true, entry: [{hang_up: {for: agent}}], on: {done: left}}
  left: {final: true}
""",
        {"on: {done: leaving}": "on: {done: ending}"},
    ),
    "a goodbye in the state after the one that has drained": Fault(
        "speech-after-drain",
        """
initial: telling
states:
  telling: {entry: [{say: It is fine.}], on: {done: winding_up}}
  winding_up: {entry: [drain], on: {done: goodbye}}
  goodbye: {entry: [{say: Get well soon.}], on: {done: ending}}
""",
        {"[drain]": "[wait_for_speech]"},
    ),
    "an ending that interrupts the last words": Fault(
        "speech-cut",
        """
tools: {end_call: {description: The caller is done.}}
initial: talking
states:
  talking:
    entry: [{generate_reply: {instructions: Help.}}]
    tools: [end_call]
    on: {tool.end_call: {target: ending, do: [{say: {text: "Thank you, and goodbye.", wait: false}}]}}
  ending:
    entry:
      - interrupt
      - drain
      - delete_room
      - aclose
      - shutdown
    on: {done: closed}
""",
        {"      - interrupt\n": ""},
    ),
    "a tool that is offered around, and taken in one of the states inside": Fault(
        "tool-not-taken",
        """
tools: {end_call: {description: The caller is done.}, human: {description: A person.}}
initial: service
states:
  service:
    initial: general
    tools: [human, end_call]
    on: {tool.end_call: {target: ending, do: [{say: Goodbye.}]}}
    states:
      general: {entry: [{generate_reply: {instructions: Ask.}}], on: {dtmf.1: bills, tool.human: person}}
      bills: {entry: [{generate_reply: {instructions: Explain.}}]}
  person: {entry: [{say: Nobody is there.}], on: {done: ending}}
""",
        {
            "dtmf.1: bills, tool.human: person}": "dtmf.1: bills}",
            "on: {tool.end_call:": "on: {tool.human: person, tool.end_call:",
        },
    ),
    "a message that the state around cuts": Fault(
        "never-heard-out",
        """
initial: leaving_word
states:
  leaving_word:
    initial: message
    after: {3s: ending}
    on: {done: ending}
    states:
      message:
        entry: [{say: We have tried to bring you a parcel today and will try again tomorrow between nine and twelve. Goodbye.}]
        on: {done: said}
      said: {final: true}
""",
        {"{3s: ending}": "{30s: ending}"},
    ),
    "a colleague who is called every minute, for an hour": Fault(
        "endless-round",
        """
env: [TRUNK, NUMBER, MUSIC]
tools: {end_call: {description: The caller is done.}, human: {description: A person.}}
initial: talking
states:
  talking:
    entry: [{generate_reply: {instructions: Help.}}]
    tools: [end_call, human]
    silence: {30s: {target: ending, do: [{say: Goodbye.}]}}
    on:
      tool.human: waiting
      tool.end_call: {target: ending, do: [{say: Goodbye.}, {outcome: completed}]}
  waiting:
    entry: [{say: Please hold.}, {play: {file: "{{ env.MUSIC }}", loop: true}}]
    every: {60s: {do: [{dial: {to: "{{ env.NUMBER }}", trunk: "{{ env.TRUNK }}", leg: colleague, ringing_timeout: 20s}}]}}
    on: {dial.answered: together, dial.*: {do: [{log: Not there.}]}}
    after: {59m: ending}
  together: {must_finish: true, entry: [stand_by], on: {done: ending}}
""",
        {"{59m: ending}": "{5m: ending}"},
    ),
    "a task that fails, and no row takes that": Fault(
        "result-lost",
        """
tools: {end_call: {description: The caller is done.}}
initial: asking
states:
  asking: {task: details, after: {5m: ending}, on: {task.completed: talking}}
  talking:
    entry: [{generate_reply: {instructions: Help.}}]
    tools: [end_call]
    on: {tool.end_call: {target: ending, do: [{say: Goodbye.}]}}
""",
        {"task.completed: talking": "task.completed: talking, task.failed: talking"},
    ),
    "a look-up of a minute before the line drops": Fault(
        "quiet-too-long",
        """
env: [URL]
initial: talking
states:
  talking: {entry: [{say: Goodbye.}], on: {done: ending}}
  ending:
    entry:
      - http: {url: "{{ env.URL }}", timeout: 50s, optional: true}
      - drain
      - delete_room
      - aclose
      - shutdown
    on: {done: closed}
""",
        {"timeout: 50s": "timeout: 5s"},
    ),
    "a verdict that no row takes": Fault(
        "no-way-on",
        """
env: [TRUNK, NUMBER]
initial: dialing
states:
  dialing:
    entry: [{dial: {to: "{{ env.NUMBER }}", trunk: "{{ env.TRUNK }}", detect_machine: true}}]
    on: {dial.answered: screening, dial.*: ending}
  screening: {on: {amd.human: talking, amd.machine-*: ending}}
  talking: {entry: [{say: Your book is due.}], on: {done: ending}}
""",
        {"amd.machine-*: ending": "amd.machine-*: ending, amd.uncertain: talking"},
    ),
    "a colleague who is there, and a caller who is never taken off hold": Fault(
        "quiet-too-long",
        """
env: [TRUNK, NUMBER, MUSIC]
tools: {human: {description: A person.}}
initial: talking
states:
  talking:
    entry: [{generate_reply: {instructions: Help.}}]
    tools: [human]
    silence: {30s: ending}
    on: {tool.human: asking}
  asking:
    entry:
      - hold: {music: "{{ env.MUSIC }}"}
      - dial: {to: "{{ env.NUMBER }}", trunk: "{{ env.TRUNK }}", leg: human, ringing_timeout: 20s}
    on: {dial.answered: briefed, dial.*: back}
  briefed:
    entry: [{say: {text: Somebody wants to talk to you., to: human}}]
    after: {5m: ending}
  back: {entry: [resume], on: {done: talking}}
""",
        {"to: human}}]\n    after: {5m: ending}": "to: human}}, resume, stand_by]\n    on: {done: ending}"},
    ),
    "a line that is left to two when nobody has answered": Fault(
        "stands-by-for-one",
        """
env: [TRUNK, NUMBER]
initial: calling
states:
  calling:
    entry:
      - say: I call a colleague.
      - dial: {to: "{{ env.NUMBER }}", trunk: "{{ env.TRUNK }}", leg: human, ringing_timeout: 20s, play_dialtone: true}
    on: {dial.answered: together, dial.*: alone}
  together: {must_finish: true, entry: [stand_by], on: {done: ending}}
  alone: {entry: [stand_by], on: {done: ending}}
""",
        {"alone: {entry: [stand_by]": "alone: {entry: [{say: Nobody is there. Goodbye.}]"},
    ),
    "a tool for which the model waits a minute": Fault(
        "quiet-too-long",
        """
env: [URL]
tools:
  find: {description: Find it., run: {http: {url: "{{ env.URL }}", timeout: 60s}}}
initial: talking
states:
  talking:
    entry: [{generate_reply: {instructions: Help.}}]
    tools: [find]
    silence: {30s: ending}
""",
        {"timeout: 60s": "timeout: 6s"},
    ),
    "keys that no row takes, beside a tool": Fault(
        "result-lost",
        """
tools: {end_call: {description: The caller is done.}}
initial: menu
states:
  menu:
    entry: [{collect_digits: {prompt: Press one or two., count: 1}}]
    tools: [end_call]
    on:
      tool.end_call: ending
      dtmf.input:
        - {target: one, when: event.digits == "1"}
        - {target: two, when: event.digits == "2"}
      dtmf.no_input: ending
  one: {entry: [{say: One.}], on: {done: ending}}
  two: {entry: [{say: Two.}], on: {done: ending}}
""",
        {', when: event.digits == "2"}': "}"},
    ),
    "a telephone that rings on when the caller has gone": Fault(
        "rings-for-nobody",
        """
initial: talking
states:
  talking: {on: {dtmf.0: {target: ringing, do: [{dial: {to: "+15551234567", trunk: ST, leg: human, play_dialtone: true}}]}}}
  ringing: {on: {dial.answered: both, dial.*: {target: talking, do: [{say: Nobody is there.}]}, dtmf.1: ending}}
  both: {entry: [stand_by], on: {done: ending}}
""",
        {
            '{target: ringing, do: [{dial: {to: "+15551234567", trunk: ST, leg: human, play_dialtone: true}}]}': "ringing",
            "ringing: {on:": 'ringing: {entry: [{dial: {to: "+15551234567", trunk: ST, leg: human, play_dialtone: true}}], on:',
        },
    ),
    "a call that goes on though nobody has come": Fault(
        "nobody-left",
        f"""
env: [TRUNK]
vars: {{number: phone}}
{END}initial: dialing
states:
  dialing:
    entry: [{{dial: {{to: "{{{{ vars.number }}}}", trunk: "{{{{ env.TRUNK }}}}"}}}}]
    on: {{dial.answered: talking, dial.*: pause}}
  pause: {{after: {{10m: ending}}}}
  talking: {{{OFFERS}}}}}
""",
        {"after: {10m: ending}": "after: {10s: ending}"},
    ),
    "a line that is left to one": Fault(
        "stands-by-for-one",
        """
initial: talking
states:
  talking: {on: {dtmf.0: asking, dtmf.1: both}}
  asking:
    entry: [{consult: {to: "+15551234567", trunk: ST, timeout: 25s}}]
    on: {consult.accepted: both, consult.*: {target: ending, do: [{say: Nobody is there.}]}}
  both: {must_finish: true, entry: [{say: You are connected.}, stand_by], on: {done: ending}}
""",
        {"dtmf.1: both": "dtmf.1: asking"},
    ),
    "a colleague whose line is busy is asked again and again": Fault(
        "endless-round",
        """
initial: talking
states:
  talking: {on: {dtmf.0: asking}}
  asking:
    entry: [{consult: {to: "+15551234567", trunk: ST, timeout: 25s}}]
    on: {consult.accepted: both, consult.declined: asking, consult.*: {target: ending, do: [{say: Nobody is there.}]}}
  both: {must_finish: true, entry: [stand_by], on: {done: ending}}
""",
        {"consult.declined: asking, ": ""},
    ),
    "two people dropped as the second accepts": Fault(
        "dropped-together",
        """
initial: talking
states:
  talking: {on: {dtmf.0: asking}}
  asking:
    entry: [{consult: {to: "+15551234567", trunk: ST, timeout: 25s}}]
    on: {consult.accepted: ending, consult.*: {target: ending, do: [{say: Nobody is there.}]}}
""",
        {
            "consult.accepted: ending": "consult.accepted: both",
            "states:\n": "states:\n  both: {must_finish: true, entry: [stand_by], on: {done: ending}}\n",
        },
    ),
    "a guard that nothing makes true": Fault(
        "guard-always-so",
        """
vars: {tries: {type: integer, default: 0}}
initial: talking
states:
  talking:
    on: {dtmf.1: {do: [{set: {tries: 1}}]}}
    after: {5s: [{target: ending, when: vars.tries > 3}, more]}
  more: {after: {5s: ending}}
""",
        {"{tries: 1}": "{tries: '{{ vars.tries + 1 }}'}"},
    ),
    "a tool that no row takes": Fault(
        "tool-not-taken",
        """
tools: {end_call: {description: The caller is done.}, human: {description: A person.}}
initial: talking
states:
  talking: {tools: [end_call, human], on: {tool.end_call: ending}}
""",
        {
            "tool.end_call: ending}": "tool.end_call: ending, tool.human: {target: ending, do: [{say: Nobody is there.}]}}"
        },
        (
            "0 s: the call begins.",
            "2 s: the caller is on the line. In talking.",
            "4 s: the model calls human. No row takes that.",
        ),
    ),
    "a transfer that fails in a way that no row takes": Fault(
        "result-lost",
        """
initial: passing_on
states:
  passing_on:
    entry: [{transfer: {to: "tel:+15551234567", play_dialtone: true}}]
    on: {transfer.completed: ending, transfer.failed: {target: sorry, when: event.sip_status_code == 486}}
  sorry: {entry: [{say: They are on the phone.}], on: {done: ending}}
""",
        {"{target: sorry, when: event.sip_status_code == 486}": "sorry"},
    ),
    "a person has answered, and no row takes that": Fault(
        "result-lost",
        """
env: [TRUNK]
vars: {number: phone}
initial: dialing
states:
  dialing:
    entry: [{dial: {to: "{{ vars.number }}", trunk: "{{ env.TRUNK }}", detect_machine: true}}]
    on: {dial.answered: screening, dial.*: ending}
  screening: {on: {amd.machine-*: ending}, after: {20s: greeting}}
  greeting: {entry: [{say: Hello.}], on: {done: ending}}
""",
        {"amd.machine-*: ending}": "amd.machine-*: ending, amd.*: greeting}"},
    ),
    "keys that were not pressed, and no row": Fault(
        "result-lost",
        """
vars: {tries: {type: integer, default: 0}}
initial: menu
states:
  menu:
    entry: [{collect_digits: {prompt: One or two., count: 1}}]
    on: {dtmf.input: ending, dtmf.*: {target: again, when: vars.tries < 2, do: [{set: {tries: "{{ vars.tries + 1 }}"}}]}}
  again: {entry: [{say: Once more.}], on: {done: menu}}
""",
        {
            "{target: again, when: vars.tries < 2,": "[{target: ending, when: vars.tries > 2}, {target: again,",
            '+ 1 }}"}}]}}': '+ 1 }}"}}]}]}',
        },
    ),
    "whoever is on the line is dialled again": Fault(
        "dialled-twice",
        f"""
env: [TRUNK]
vars: {{number: phone}}
{END}initial: dialing
states:
  dialing:
    entry: [{{dial: {{to: "{{{{ vars.number }}}}", trunk: "{{{{ env.TRUNK }}}}"}}}}]
    on: {{dial.answered: talking, dial.*: ending}}
  talking: {{silence: {{30s: dialing}}, {OFFERS}}}}}
""",
        {"30s: dialing": "30s: ending"},
    ),
    "what is said after a transfer": Fault(
        "action-never-run",
        """
initial: passing_on
states:
  passing_on:
    entry: [{transfer: {to: "tel:+15551234567", play_dialtone: true}}, {say: I am putting you through.}]
    on: {transfer.completed: ending, transfer.failed: sorry}
  sorry: {entry: [{say: They are on the phone.}], on: {done: ending}}
""",
        {
            '{transfer: {to: "tel:+15551234567", play_dialtone: true}}, {say: I am putting you through.}': "{say: I am putting you through.}, "
            '{transfer: {to: "tel:+15551234567", play_dialtone: true}}'
        },
    ),
    "verdicts of a detector that nobody has started": Fault(
        "row-never-taken",
        """
env: [TRUNK]
vars: {number: phone}
initial: dialing
states:
  dialing:
    entry: [{dial: {to: "{{ vars.number }}", trunk: "{{ env.TRUNK }}"}}]
    on: {dial.answered: screening, dial.*: ending}
  screening: {on: {amd.machine-*: ending, amd.*: greeting}, after: {20s: greeting}}
  greeting: {entry: [{say: Hello.}], on: {done: ending}}
""",
        {'"{{ env.TRUNK }}"}}]': '"{{ env.TRUNK }}", detect_machine: true}}]'},
    ),
    "a tool that is offered in another state": Fault(
        "row-never-taken",
        """
tools: {end_call: {description: The caller is done.}, number: {description: The caller has told it.}}
initial: asking
states:
  asking: {tools: [number], after: {90s: talking}, on: {tool.number: talking, tool.end_call: ending}}
  talking: {tools: [end_call], on: {tool.end_call: ending}}
""",
        {"tools: [number]": "tools: [number, end_call]"},
    ),
    "a look-up before the first word that fails, and nobody says so": Fault(
        "cut-off",
        """
env: [CRM]
tools: {end_call: {description: The caller is done.}}
initial: starting
states:
  starting: {entry: [{http: {url: "{{ env.CRM }}", timeout: 4s}}], on: {done: talking}}
  talking: {entry: [generate_reply], tools: [end_call], on: {tool.end_call: {target: ending, do: [{say: Goodbye.}]}}}
""",
        {"on: {done: talking}": "on: {done: talking, failed: talking}"},
        (
            "0 s: the call begins.",
            "2 s: the caller is on the line. In starting. Http is asked.",
            "3 s: http fails. No row takes that. In ending.",
            "4 s: the line drops.",
            "Whoever is on the line was told nothing.",
        ),
    ),
    "a recording that nobody can begin": Fault(
        "cut-off",
        """
initial: starting
states:
  starting: {entry: [{start_recording: call.ogg}, {say: This call is recorded. Goodbye.}], on: {done: ending}}
""",
        {"{start_recording: call.ogg}": "{start_recording: {file: call.ogg, optional: true}}"},
    ),
    "a look-up beside the greeting, which it cuts": Fault(
        "cut-off",
        """
env: [CRM]
initial: opening
states:
  opening:
    parallel: true
    on: {done: talking}
    states:
      greeting: {initial: saying, states: {saying: {entry: [{say: Welcome to the shop.}], on: {done: said}}, said: {final: true}}}
      asking: {initial: http, states: {http: {entry: [{http: {url: "{{ env.CRM }}", timeout: 5s}}], on: {done: got}}, got: {final: true}}}
  talking: {entry: [generate_reply], silence: {30s: ending}}
""",
        {"on: {done: got}": "on: {done: got, failed: got}"},
    ),
    "a person has answered, and is hung up on": Fault(
        "cut-off",
        """
env: [TRUNK]
vars: {number: phone}
initial: dialing
states:
  dialing:
    entry: [{dial: {to: "{{ vars.number }}", trunk: "{{ env.TRUNK }}", detect_machine: true}}]
    on: {dial.answered: screening, dial.*: ending}
  screening: {on: {amd.machine-*: ending, amd.human: ending, amd.*: greeting}}
  greeting: {entry: [{say: Hello.}], on: {done: ending}}
""",
        {"amd.human: ending": "amd.human: greeting"},
    ),
    "a caller whom nobody greets": Fault(
        "nobody-speaks",
        """
tools: {end_call: {description: The caller is done.}}
initial: talking
states:
  talking:
    instructions: Help the caller.
    tools: [end_call]
    silence: {60s: ending}
    on: {tool.end_call: {target: ending, do: [{say: Goodbye.}]}}
""",
        {"    tools: [end_call]\n": "    entry: [generate_reply]\n    tools: [end_call]\n"},
        (
            "0 s: the call begins.",
            "2 s: the caller is on the line. In talking.",
            "Nobody speaks until the caller does.",
        ),
    ),
    "a caller who is back from a failed transfer, and hears nothing": Fault(
        "nobody-speaks",
        """
tools: {human: {description: A person.}}
initial: greeting
states:
  greeting: {entry: [{say: Welcome. How can I help?}], on: {done: talking}}
  talking: {instructions: Help the caller., tools: [human], silence: {60s: ending}, on: {tool.human: moving}}
  moving:
    entry: [{say: One moment.}, {transfer: {to: "tel:+15551234567", play_dialtone: true}}]
    on: {transfer.completed: ending, transfer.failed: talking}
""",
        {"transfer.failed: talking": "transfer.failed: {target: talking, do: [{say: Nobody is free.}]}"},
    ),
    "a goodbye to a silent caller, who stays": Fault(
        "goodbye-and-on",
        """
tools: {end_call: {description: The caller is done.}}
initial: talking
states:
  talking:
    entry: [generate_reply]
    tools: [end_call]
    on: {tool.end_call: {target: ending, do: [{say: Goodbye.}]}}
    silence: {10s: {do: [{say: Are you there?}]}, 30s: {do: [{say: "I hear nothing, and hang up now. Goodbye."}]}}
""",
        {
            '30s: {do: [{say: "I hear nothing, and hang up now. Goodbye."}]}': '30s: {target: ending, do: [{say: "I hear nothing, and hang up now. Goodbye."}]}'
        },
    ),
    "a goodbye when all is noted, and nobody hangs up": Fault(
        "goodbye-and-on",
        """
tools: {end_call: {description: The caller is done.}, noted: {description: All is noted.}}
initial: talking
states:
  talking:
    initial: asking
    tools: [end_call]
    silence: {30s: ending}
    on: {tool.end_call: ending, done: {do: [{say: We will call you back. Goodbye.}]}}
    states:
      asking: {entry: [generate_reply], tools: [noted], on: {tool.noted: all}}
      all: {final: true}
""",
        {"done: {do:": "done: {target: ending, do:"},
    ),
    "a goodbye, and somebody else is called": Fault(
        "goodbye-and-on",
        """
tools: {end_call: {description: The caller is done.}, human: {description: A person.}}
initial: talking
states:
  talking:
    entry: [generate_reply]
    tools: [end_call, human]
    silence: {30s: ending}
    on: {tool.end_call: {target: moving, do: [{say: Goodbye.}]}, tool.human: moving}
  moving:
    entry: [{say: One moment.}, {transfer: {to: "tel:+15551234567", play_dialtone: true}}]
    on: {transfer.completed: ending, transfer.failed: {target: talking, do: [{say: Nobody is free.}]}}
""",
        {"{target: moving, do": "{target: ending, do"},
    ),
    "a voicemail that is asked how it is": Fault(
        "talks-to-machine",
        """
env: [TRUNK]
vars: {number: phone}
tools: {end_call: {description: The callee is done.}}
initial: dialing
states:
  dialing:
    entry: [{dial: {to: "{{ vars.number }}", trunk: "{{ env.TRUNK }}", detect_machine: true}}]
    on: {dial.answered: screening, dial.*: ending}
  screening: {on: {amd.machine-vm: message, amd.machine-*: ending, amd.*: talking}}
  message: {entry: [{say: Please call us back.}], on: {done: talking}}
  talking: {entry: [generate_reply], tools: [end_call], silence: {20s: ending}, on: {tool.end_call: {target: ending, do: [{say: Goodbye.}]}}}
""",
        {"on: {done: talking}": "on: {done: ending}"},
    ),
    "a verdict that no row takes where the others are": Fault(
        "talks-to-machine",
        f"""{_REMINDS}
    on: {{dial.answered: talking, dial.*: ending}}
  message: {{entry: [{{say: Please call us back.}}], on: {{done: ending}}}}
  talking: {{entry: [generate_reply], instructions: Remind them., silence: {{20s: ending}}, on: {{amd.machine-vm: message, amd.machine-ivr: ending}}}}
""",
        {"amd.machine-ivr": "amd.machine-*"},
        (
            "0 s: the call begins. In dialing. The callee is called.",
            "2 s: the callee is on the line.",
            "3 s: In talking. The model speaks.",
            "5 s: a machine says that the number cannot be reached. No row takes that.",
            "The model talks with a machine.",
        ),
    ),
    "verdicts of which none is taken": Fault(
        "talks-to-machine",
        f"""{_REMINDS}
    on: {{dial.answered: hello, dial.*: ending}}
  hello: {{entry: [{{say: Hello.}}], on: {{done: talking}}}}
  talking: {{entry: [generate_reply], instructions: Remind them., silence: {{20s: ending}}}}
""",
        {
            "silence: {20s: ending}": "silence: {20s: ending}, on: {amd.machine-*: ending}",
            "on: {done: talking}": "on: {done: talking, amd.machine-*: ending}",
        },
    ),
    "a menu that is waited out": Fault(
        "talks-to-machine",
        f"""{_REMINDS}
    on: {{dial.answered: who, dial.*: ending}}
  who: {{on: {{amd.human: talking, amd.uncertain: talking, amd.machine-vm: ending, amd.machine-unavailable: ending}}, after: {{25s: talking}}}}
  talking: {{entry: [generate_reply], instructions: Remind them., silence: {{20s: ending}}}}
""",
        {"amd.machine-unavailable": "amd.machine-*"},
    ),
    "nobody can tell who has answered, where a person has a row": Fault(
        "talks-to-machine",
        f"""{_REMINDS}
    on: {{dial.answered: talking, dial.*: ending}}
  talking: {{entry: [generate_reply], instructions: Remind them., silence: {{20s: ending}}, on: {{amd.human: {{do: [{{log: A person.}}]}}, amd.machine-*: ending}}}}
""",
        {"amd.machine-*": "amd.*"},
        (
            "0 s: the call begins. In dialing. The callee is called.",
            "2 s: the callee is on the line.",
            "3 s: In talking. The model speaks.",
            "5 s: nobody can tell who has answered. No row takes that.",
            "The model talks with whoever it is.",
        ),
    ),
    "words to a caller who has been put through": Fault(
        "speech-after-drain",
        """
initial: moving
states:
  moving:
    entry: [{say: One moment.}, {transfer: {to: "tel:+15551234567", play_dialtone: true}}]
    on: {transfer.completed: talking, transfer.failed: talking}
  talking: {entry: [generate_reply], silence: {20s: ending}}
""",
        {"transfer.completed: talking": "transfer.completed: ending"},
    ),
    "a tool whose guard leaves something out": Fault(
        "result-lost",
        """
tools: {rate: {description: The caller has rated., parameters: {stars: {type: integer}}}}
initial: survey
states:
  survey:
    entry: [{say: How many stars of five?}]
    tools: [rate]
    silence: {30s: ending}
    on: {tool.rate: [{target: ending, when: event.stars > 3, do: [{say: Thank you.}]}]}
""",
        {"do: [{say: Thank you.}]}]": "do: [{say: Thank you.}]}, {target: ending, do: [{say: We are sorry.}]}]"},
    ),
    "the one end without an outcome": Fault(
        "no-outcome",
        """
tools: {end_call: {description: The caller is done.}}
initial: talking
states:
  talking:
    entry: [generate_reply]
    tools: [end_call]
    silence: {30s: {target: ending, do: [{outcome: timed_out}]}}
    on: {tool.end_call: {target: ending, do: [{say: Goodbye.}]}}
""",
        {"do: [{say: Goodbye.}]": "do: [{say: Goodbye.}, {outcome: completed}]"},
    ),
    "a goodbye, and the conversation goes on": Fault(
        "outcome-too-early",
        """
tools: {end_call: {description: The caller is done.}}
initial: talking
states:
  talking:
    entry: [generate_reply]
    tools: [end_call]
    silence: {30s: ending}
    on: {tool.end_call: {target: talking, do: [{say: Goodbye.}, {outcome: completed}]}}
""",
        {"{target: talking, do": "{target: ending, do"},
        (
            "0 s: the call begins.",
            "2 s: the caller is on the line. In talking. The model speaks.",
            "4 s: the model calls end_call. In talking. That is cut.",
            "The call goes on where it was.",
        ),
    ),
    "states that lead straight into each other": Fault(
        "endless-cycle",
        """
vars: {open: {type: boolean, default: true}}
initial: day
states:
  day: {on: {dtmf.1: {do: [{set: {open: false}}]}}, always: {target: night, when: vars.open}, after: {5s: ending}}
  night: {on: {dtmf.1: {do: [{set: {open: false}}]}}, always: {target: day, when: vars.open}, after: {5s: ending}}
""",
        {"{target: day, when: vars.open}": "{target: day, when: not vars.open}"},
    ),
    "a caller who is back from hold, and hears nothing": Fault(
        "nobody-speaks",
        """
env: [TRUNK, NURSE, MUSIC]
tools: {end_call: {description: The caller is done.}, nurse: {description: They want the nurse.}}
initial: greeting
states:
  greeting: {entry: [{say: How can I help you?}], on: {done: talking}}
  talking:
    instructions: Help with the appointment.
    tools: [end_call, nurse]
    silence: {45s: {target: ending, do: [{say: Goodbye.}]}}
    on: {tool.nurse: holding, tool.end_call: {target: ending, do: [{say: Goodbye.}]}}
  holding:
    entry:
      - hold: {music: "{{ env.MUSIC }}"}
      - dial: {to: "{{ env.NURSE }}", trunk: "{{ env.TRUNK }}", leg: nurse, ringing_timeout: 20s}
    on: {dial.answered: asking, dial.*: back}
  asking: {entry: [{say: {text: Please call back., to: nurse}}, {remove_participant: nurse}], on: {done: back, failed: back}}
  back: {entry: [resume], on: {done: talking}}
""",
        {"entry: [resume]": "entry: [resume, {say: Thank you for waiting.}]"},
        (
            "0 s: the call begins.",
            '2 s: the caller is on the line. In greeting. The caller hears "How can I help you?"',
            "2.35 s: In talking.",
            "4.35 s: the model calls nurse. In holding. The caller is on hold, with music.",
            "5.35 s: the nurse is called.",
            "6.35 s: the nurse's line is busy. In back. The caller is back.",
            "7.35 s: In talking.",
            "Nobody speaks until the caller does.",
        ),
    ),
    "music that ends, and nobody speaks": Fault(
        "nobody-speaks",
        """
env: [MUSIC]
events: {app.stock: {}}
senders: {app.stock: program}
tools: {stock: {description: Ask for the stock.}}
initial: greeting
states:
  greeting: {entry: [{say: Which book?}], on: {done: talking}}
  talking: {instructions: Help., tools: [stock], silence: {40s: ending}, on: {tool.stock: waiting}}
  waiting:
    entry: [{say: One moment.}, {play: {file: "{{ env.MUSIC }}", loop: true}}]
    after: {60s: {target: talking, do: [{say: That takes too long.}]}}
    on: {app.stock: talking}
""",
        {"app.stock: talking": "app.stock: {target: talking, do: [{say: There are some.}]}"},
    ),
    "a key that leads to a model which waits for a word": Fault(
        "nobody-speaks",
        """
tools: {end_call: {description: The caller is done.}}
initial: menu
states:
  menu: {entry: [{collect_digits: {prompt: "One for bills, two for all else.", count: 1}}], on: {dtmf.input: talking, dtmf.*: ending}}
  talking:
    instructions: Help.
    tools: [end_call]
    silence: {40s: ending}
    on: {tool.end_call: {target: ending, do: [{say: Goodbye.}]}}
""",
        {"    instructions: Help.\n": "    entry: [{generate_reply: {instructions: Ask what it is about.}}]\n"},
    ),
    "a callee who has said hello, and hears nothing": Fault(
        "nobody-speaks",
        """
env: [TRUNK]
vars: {number: phone}
tools: {end_call: {description: The callee is done.}}
initial: dialing
states:
  dialing:
    entry: [{dial: {to: "{{ vars.number }}", trunk: "{{ env.TRUNK }}", detect_machine: true}}]
    on: {dial.answered: screening, dial.*: ending}
  screening: {on: {amd.machine-*: ending, amd.*: talking}}
  talking: {instructions: Remind them of the appointment., tools: [end_call], silence: {40s: ending}, on: {tool.end_call: {target: ending, do: [{say: Goodbye.}]}}}
""",
        {"amd.*: talking": "amd.*: {target: talking, do: [{say: Hello.}]}"},
    ),
    "a colleague who is thanked for declining, and a caller who is told nothing": Fault(
        "nobody-speaks",
        """
tools: {human: {description: A person.}}
initial: greeting
states:
  greeting: {entry: [{say: How can I help?}], on: {done: talking}}
  talking: {instructions: Help., tools: [human], silence: {40s: ending}, on: {tool.human: asking}}
  asking:
    entry: [{consult: {to: "+15551234567", trunk: ST, timeout: 25s, accept: {key: "1"}, briefing: A caller.}}]
    on: {consult.accepted: both, consult.*: {target: talking, do: [{say: {text: Thanks., to: human}}]}}
  both: {must_finish: true, entry: [stand_by], on: {done: ending}}
""",
        {"to: human}}]": "to: human}}, {say: They cannot come.}]"},
    ),
    "a key to go on, and the state is over with the sentence": Fault(
        "question-then-over",
        """
env: [TRUNK]
vars: {number: phone}
initial: dialing
states:
  dialing:
    entry: [{dial: {to: "{{ vars.number }}", trunk: "{{ env.TRUNK }}", detect_machine: true}}]
    on: {dial.answered: screening, dial.*: ending}
  screening: {on: {amd.machine-*: ending, amd.*: inviting}}
  inviting: {entry: [{say: We have a question for you. Press a key to go on.}], on: {dtmf.*: asking, done: {target: ending, do: [{outcome: none}]}}}
  asking: {entry: [{collect_digits: {prompt: "How content are you, from one to five?", count: 1}}], on: {dtmf.*: ending}}
""",
        {"done: {target: ending, do: [{outcome: none}]}}": "call.hangup: ending}, after: {9s: ending}"},
        (
            "0 s: the call begins. In dialing. The callee is called.",
            "2 s: the callee is on the line.",
            "3 s: In screening.",
            '5 s: a person has answered. In inviting. The callee hears "We have a question for you. Press a key to go on."',
            "5.9 s: In ending. Outcome: none.",
            "6.9 s: the line drops.",
        ),
    ),
    "a key for a person, and nobody listens for it in the conversation": Fault(
        "question-then-over",
        """
tools: {end_call: {description: The caller is done.}}
initial: welcome
states:
  welcome: {entry: [{say: Press 0 at any time for a person.}], on: {dtmf.0: person, done: talking}}
  talking: {entry: [generate_reply], tools: [end_call], silence: {20s: ending}, on: {tool.end_call: {target: ending, do: [{say: Goodbye.}]}}}
  person: {entry: [{say: Nobody is there. Goodbye.}], on: {done: ending}}
""",
        {"{tool.end_call: {": "{dtmf.0: person, tool.end_call: {"},
        (
            "0 s: the call begins.",
            '2 s: the caller is on the line. In welcome. The caller hears "Press 0 at any time for a person."',
            "2.625 s: In talking. The model speaks.",
            "Nothing listens for a key any more.",
        ),
    ),
    "a key in the last words": Fault(
        "question-then-over",
        """
tools: {later: {description: They want to be called back.}}
initial: talking
states:
  talking:
    entry: [{generate_reply: {instructions: Help.}}]
    tools: [later]
    silence: {20s: {target: ending, do: [{say: Goodbye.}]}}
    on: {tool.later: {target: ending, do: [{say: We call you back. Press 1 for a message instead.}, {outcome: completed}]}}
""",
        {
            "{target: ending, do: [{say: We call you back. Press 1 for a message instead.}, {outcome: completed}]}}": "later}\n  later: {entry: [{say: We call you "
            "back. Press 1 for a message instead.}], after: {9s: ending}, on: {dtmf.1: {target: ending, do: [{say: Right.}]}}}"
        },
    ),
    "the model tells, and asks, and the line drops": Fault(
        "question-then-over",
        """
env: [TRUNK]
vars: {number: phone}
tools: {paid: {description: They have said whether they pay.}}
initial: dialing
states:
  dialing:
    entry: [{dial: {to: "{{ vars.number }}", trunk: "{{ env.TRUNK }}"}}]
    on: {dial.answered: telling, dial.*: ending}
  telling:
    entry: [{generate_reply: {instructions: "Say that the bill is open, and ask whether they want to pay now."}}]
    on: {done: {target: ending, do: [{outcome: completed}]}}
""",
        {
            "on: {done: {target: ending, do: [{outcome: completed}]}}": "tools: [paid]\n    silence: {20s: ending}\n"
            "    on: {tool.paid: {target: ending, do: [{say: Goodbye.}]}}"
        },
    ),
    "a goodbye that asks": Fault(
        "question-then-over",
        """
initial: talking
states:
  talking: {entry: [{hang_up: {goodbye: "Thank you. Can I do anything else for you?"}}], on: {done: closed}}
""",
        {"Can I do anything else for you?": "Goodbye."},
    ),
    "a question while music plays": Fault(
        "question-then-over",
        """
env: [MUSIC]
initial: talking
states:
  talking: {entry: [{play: {file: "{{ env.MUSIC }}", loop: true}}, {say: "Möchten Sie weiter warten?"}], on: {done: ending}}
""",
        {"Möchten Sie weiter warten?": "Niemand ist frei."},
    ),
    "keys after a failed look-up, and nobody says so": Fault(
        "nobody-speaks",
        """
env: [API]
vars: {policy: {type: string, default: "", pii: true}}
initial: asking
states:
  asking:
    entry: [{collect_digits: {prompt: "Your policy number, please.", count: 6}}]
    on: {dtmf.input: {target: looking, do: [{set: {policy: "{{ event.digits }}"}}]}, dtmf.*: ending}
  looking:
    entry: [{say: One moment.}, {http: {url: "{{ env.API }}/{{ vars.policy }}", timeout: 5s}}]
    on: {done: found, failed: once_more}
  once_more: {entry: [{collect_digits: {count: 6, first_digit: 15s}}], on: {dtmf.*: ending}}
  found: {entry: [{say: It is valid. Goodbye.}], on: {done: ending}}
""",
        {"{count: 6, first_digit: 15s}": '{prompt: "I could not find it. Once more?", count: 6, first_digit: 15s}'},
        (
            "0 s: the call begins.",
            '2 s: the caller is on the line. In asking. The caller hears "Your policy number, please." and is asked for keys.',
            '3 s: the keys are 000000. In looking. The caller hears "One moment."',
            "3.225 s: http is asked.",
            "4.225 s: http fails. In once_more. The caller is asked for keys.",
            "Nobody says that keys are to be pressed.",
        ),
    ),
    "keys that are collected after a failed transfer, and nobody says so": Fault(
        "nobody-speaks",
        """
initial: moving
states:
  moving:
    entry: [{say: One moment.}, {transfer: {to: "tel:+15551234567", play_dialtone: true}}]
    on: {transfer.completed: ending, transfer.failed: choosing}
  choosing: {entry: [{collect_digits: {count: 1, first_digit: 10s}}], on: {dtmf.*: ending}}
""",
        {"{count: 1, first_digit: 10s}": "{prompt: Nobody is there. Press a key., count: 1, first_digit: 10s}"},
    ),
    "a menu after a failed transfer, which nobody reads": Fault(
        "nobody-speaks",
        """
initial: menu
states:
  menu: {entry: [{say: Press 1 for the desk.}], on: {dtmf.1: moving}, after: {9s: ending}}
  moving:
    entry: [{say: One moment.}, {transfer: {to: "tel:+15551234567", play_dialtone: true}}]
    on: {transfer.completed: ending, transfer.failed: choosing}
  choosing: {on: {dtmf.1: message, dtmf.2: ending}, after: {30s: ending}}
  message: {entry: [{say: We call you back. Goodbye.}], on: {done: ending}}
""",
        {
            "transfer.failed: choosing": "transfer.failed: {target: choosing, do: [{say: Nobody is there. Press 1 or 2.}]}"
        },
    ),
    "a menu that is read, and keys that are taken only then": Fault(
        "key-too-early",
        """
initial: welcome
states:
  welcome: {entry: [{say: Welcome to the bank.}], on: {done: menu}}
  menu:
    entry: [{say: "For cards, press 1. For a person, press 0."}, {collect_digits: {count: 1, first_digit: 6s}}]
    on: {dtmf.input: [{target: cards, when: event.digits == "1"}, person], dtmf.no_input: person, dtmf.no_match: person}
  cards: {entry: [{say: Your card is blocked. Goodbye.}], on: {done: ending}}
  person: {entry: [{say: Nobody is there. Goodbye.}], on: {done: ending}}
""",
        {
            '{say: "For cards, press 1. For a person, press 0."}, {collect_digits: {count: 1,': '{collect_digits: {prompt: "For cards, press 1. For a '
            'person, press 0.", count: 1,',
            'when: event.digits == "1"}, person]': 'when: event.digits == "1"}, {target: person, when: event.digits == "0"}, cards]',
        },
        (
            "0 s: the call begins.",
            '2 s: the caller is on the line. In welcome. The caller hears "Welcome to the bank."',
            '2.4 s: In menu. The caller hears "For cards, press 1. For a person, press 0."',
            "3.15 s: the caller is asked for keys.",
            "A key that was pressed before is lost.",
        ),
    ),
    "a menu that is read in one state, and keys that are rows of the next": Fault(
        "key-too-early",
        """
initial: menu
states:
  menu: {entry: [{say: "For cards press 1, for loans press 2."}], on: {done: choosing}}
  choosing: {on: {dtmf.1: cards, dtmf.2: ending}, after: {9s: ending}}
  cards: {entry: [{say: Your card is blocked. Goodbye.}], on: {done: ending}}
""",
        {
            'menu: {entry: [{say: "For cards press 1, for loans press 2."}], on: {done: choosing}}\n  choosing: {on': "menu: {entry: [{say: One moment.}], on: "
            '{done: choosing}}\n  choosing: {entry: [{say: "For cards press 1, for loans press 2."}], on'
        },
    ),
    "a number that is asked for on the way, and early keys that are taken for none": Fault(
        "key-too-early",
        """
initial: welcome
states:
  welcome: {entry: [{say: Welcome.}], on: {done: {target: asking, do: [{say: Key in your number.}]}}}
  asking: {entry: [{collect_digits: {count: 8, first_digit: 8s}}], on: {dtmf.input: known, dtmf.*: again}}
  again: {entry: [{say: That was no number. Goodbye.}], on: {done: ending}}
  known: {entry: [{say: Thank you. Goodbye.}], on: {done: ending}}
""",
        {
            "{target: asking, do: [{say: Key in your number.}]}": "asking",
            "{count: 8, first_digit: 8s}": "{prompt: Key in your number., count: 8, first_digit: 8s}",
        },
        (
            "0 s: the call begins.",
            '2 s: the caller is on the line. In welcome. The caller hears "Welcome."',
            '2.175 s: In asking. The caller hears "Key in your number."',
            "2.55 s: the caller is asked for keys.",
            "A key that was pressed before goes to the row in line 7.",
        ),
    ),
    "a row for a key in a state that collects them": Fault(
        "row-never-taken",
        """
initial: asking
states:
  asking:
    entry: [{collect_digits: {prompt: "Your number, or 0 for a person.", count: 6}}]
    on: {dtmf.0: person, dtmf.input: known, dtmf.no_input: person, dtmf.no_match: person}
  known: {entry: [{say: Thank you. Goodbye.}], on: {done: ending}}
  person: {entry: [{say: Nobody is there. Goodbye.}], on: {done: ending}}
""",
        {"dtmf.0: person, ": ""},
        (
            "0 s: the call begins.",
            '2 s: the caller is on the line. In asking. The caller hears "Your number, or 0 for a person." and is asked for keys.',
            "4 s: the caller presses 0.",
            "`collect_digits` takes the key.",
        ),
    ),
    "a key for a person at any time, but where keys are collected": Fault(
        "row-never-taken",
        """
initial: welcome
on: {dtmf.0: person}
states:
  welcome: {entry: [{say: Welcome. Press 0 at any time for a person.}], on: {done: menu}}
  menu:
    entry: [{collect_digits: {prompt: One or two?, count: 1}}]
    on: {dtmf.input: [{target: cards, when: event.digits == "1"}, loans], dtmf.no_input: loans, dtmf.no_match: loans}
  cards: {entry: [{say: Your card is blocked. Goodbye.}], on: {done: ending}}
  loans: {entry: [{say: There are none. Goodbye.}], on: {done: ending}}
  person: {entry: [{say: Nobody is there. Goodbye.}], on: {done: ending}}
""",
        {
            'when: event.digits == "1"}, loans]': 'when: event.digits == "1"}, {target: person, when: event.digits == "0"}, loans]'
        },
    ),
    "a key for a person at any time, but where any other key is wrong": Fault(
        "row-always-beaten",
        """
initial: service
states:
  service:
    initial: welcome
    on: {dtmf.0: person}
    states:
      welcome: {entry: [{say: Welcome. Press 0 at any time for a person.}], on: {done: menu}}
      menu: {entry: [{say: "Press 1 for passports, 2 for cars."}], after: {20s: ending}, on: {dtmf.1: passports, dtmf.2: cars, dtmf.*: wrong}}
      wrong: {entry: [{say: There is nothing under this key.}], on: {done: [{target: ending, when: state.visits > 3}, menu]}}
      passports: {entry: [{say: Bring a photograph.}], on: {done: ending}}
      cars: {entry: [{say: Bring the papers.}], on: {done: ending}}
  person: {entry: [{say: Nobody is there. Goodbye.}], on: {done: ending}}
""",
        {"dtmf.*: wrong": "dtmf.0: person, dtmf.*: wrong"},
        (
            "0 s: the call begins.",
            '2 s: the caller is on the line. In service.welcome. The caller hears "Welcome. Press 0 at any time for a person."',
            '2.8 s: In service.menu. The caller hears "Press 1 for passports, 2 for cars."',
            '5.45 s: the caller presses 0. In service.wrong. The caller hears "There is nothing under this key."',
        ),
    ),
    "a question after a silence that the state around has ended": Fault(
        "row-never-taken",
        """
tools: {end_call: {description: The caller is done.}}
initial: conversation
states:
  conversation:
    initial: asking
    tools: [end_call]
    silence: {20s: {target: ending, do: [{say: Goodbye.}]}}
    on: {tool.end_call: {target: ending, do: [{say: Goodbye.}]}}
    states: {asking: {entry: [{say: Which day?}], silence: {30s: {do: [{say: Are you there?}]}}}}
""",
        {"silence: {30s:": "silence: {10s:"},
        (
            "0 s: the call begins.",
            '2 s: the caller is on the line. In conversation.asking. The caller hears "Which day?"',
            "Until 22.2 s the caller hears nothing.",
            '22.2 s: nobody has said anything for 20s in conversation. In ending. The caller hears "Goodbye."',
            "`silence: 30s` is never due.",
        ),
    ),
    "a word to whoever waits, after the queue is over": Fault(
        "row-never-taken",
        """
env: [MUSIC]
events: {app.free: {}}
senders: {app.free: program}
initial: waiting
states:
  waiting:
    initial: music
    after: {60s: {target: ending, do: [{say: Nobody is free. Goodbye.}]}}
    on: {app.free: {target: ending, do: [{say: We call you. Goodbye.}]}}
    states:
      music: {entry: [{say: One moment.}, {play: {file: "{{ env.MUSIC }}", loop: true}}], after: {90s: {do: [{say: It takes long today.}]}}}
""",
        {"{90s: {do": "{30s: {do"},
    ),
    "a human who is hung up on as they are asked": Fault(
        "cut-short",
        """
env: [MUSIC]
tools: {human: {description: A person.}}
initial: talking
states:
  talking: {entry: [generate_reply], tools: [human], silence: {30s: ending}, on: {tool.human: asking}}
  asking:
    entry: [{consult: {to: "+15551234567", trunk: ST, timeout: 40s, briefing: A caller., accept: {key: "1"}, music: "{{ env.MUSIC }}"}}]
    after: {15s: {target: talking, do: [{say: They do not answer.}]}}
    on: {consult.accepted: both, consult.*: {target: talking, do: [{say: They cannot come.}]}}
  both: {must_finish: true, entry: [stand_by], on: {done: ending}}
""",
        {"after: {15s:": "after: {45s:"},
        (
            "0 s: the call begins.",
            "2 s: the caller is on the line. In talking. The model speaks.",
            "4 s: the model calls human. In asking. That is cut. The caller waits, and the human is called.",
            "19 s: 15s of asking are over. In talking.",
        ),
    ),
    "a transfer that goes on when the flow has given it up": Fault(
        "cut-short",
        """
initial: moving
states:
  moving:
    entry: [{say: One moment.}, {transfer: {to: "tel:+15551234567", play_dialtone: true}}]
    after: {15s: sorry}
    on: {transfer.completed: ending, transfer.failed: sorry}
  sorry: {entry: [{say: Nobody is there. Goodbye.}], on: {done: ending}}
""",
        {"after: {15s: sorry}": "after: {90s: sorry}"},
    ),
}
