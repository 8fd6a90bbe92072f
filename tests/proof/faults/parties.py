"""Telephones and people: who is left, dropped, or called again."""

from __future__ import annotations

from tests.proof.faults.fault import END, OFFERS, Fault

PARTIES = {
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
}
