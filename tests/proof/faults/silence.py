"""Silence where somebody waits: nobody speaks, a hold, a look-up, music that ends or goes on."""

from __future__ import annotations

from tests.proof.faults.fault import END, OFFERS, Fault

SILENCE = {
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
}
