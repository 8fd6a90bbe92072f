"""Results, tools, keys, guards and outcomes that no row takes, or that come to nothing."""

from __future__ import annotations

from tests.proof.faults.fault import Fault

ROWS = {
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
}
