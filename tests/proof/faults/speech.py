"""Words that are cut, come too late, or go to nobody who answers them."""

from __future__ import annotations

from tests.proof.faults.fault import END, OFFERS, Fault

_REMINDS = """
env: [TRUNK]
vars: {number: phone}
initial: dialing
states:
  dialing:
    entry: [{dial: {to: "{{ vars.number }}", trunk: "{{ env.TRUNK }}", detect_machine: true}}]"""

SPEECH = {
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
