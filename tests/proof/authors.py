"""Faults that an author makes who has read the reference alone, and flows of such authors in which nothing is wrong."""

from __future__ import annotations

from tests.proof.faults.fault import Fault

MADE = {
    "a colleague who is rung on when the caller has hung up": Fault(
        "rings-for-nobody",
        """
env: [TRUNK, DESK, MUSIC]
tools: {human: {description: A person.}, end_call: {description: The caller is done.}}
initial: talking
states:
  talking:
    entry: [{generate_reply: Greet the caller and ask what they need.}]
    tools: [human, end_call]
    silence: {20s: {do: [{say: Are you there?}]}, 40s: {target: ending, do: [{say: Goodbye.}]}}
    on:
      tool.human: {target: calling, do: [{say: I call a colleague.}]}
      tool.end_call: {target: ending, do: [{say: Goodbye.}, {outcome: completed}]}
  calling:
    must_finish: true
    entry: [{dial: {to: "{{ env.DESK }}", trunk: "{{ env.TRUNK }}", leg: human, ringing_timeout: 40s, play_dialtone: true}}]
    on:
      dial.answered: both
      dial.*: {target: talking, do: [{say: Nobody is there.}]}
  both: {must_finish: true, entry: [{outcome: transferred}, stand_by], on: {done: ending}}
""",
        {
            "  calling:\n    must_finish: true\n": "  calling:\n",
        },
    ),
    "a second try of a transfer that keeps the hang-up back": Fault(
        "nobody-left",
        """
tools: {human: {description: A person.}, end_call: {description: The caller is done.}}
initial: talking
states:
  talking:
    entry: [{generate_reply: Greet the caller.}]
    tools: [human, end_call]
    silence: {40s: {target: ending, do: [{say: Goodbye.}]}}
    on:
      tool.human: {target: moving, do: [{say: I put you through.}]}
      tool.end_call: {target: ending, do: [{say: Goodbye.}, {outcome: completed}]}
  moving:
    must_finish: true
    initial: trying
    on: {done: ending}
    states:
      trying:
        entry: [{transfer: {to: "tel:+15551234567", play_dialtone: true, ringing_timeout: 25s}}]
        on: {transfer.completed: moved, transfer.failed: waiting}
      waiting:
        entry: [{say: They are on the phone. I try again in ten minutes.}]
        after: {10m: trying_again}
      trying_again:
        entry: [{transfer: {to: "tel:+15551234567", play_dialtone: true, ringing_timeout: 25s}}]
        on: {transfer.*: moved}
      moved: {final: true}
""",
        {
            "    must_finish: true\n    initial: trying": "    initial: trying",
            "        after: {10m: trying_again}": "        after: {20s: trying_again}",
        },
    ),
    "a queue on hold without an end": Fault(
        "waits-too-long",
        """
env: [MUSIC]
events: {app.agent_free: {}}
senders: {app.agent_free: program}
initial: welcome
states:
  welcome: {entry: [{say: Welcome. All our agents are busy. Please hold.}], on: {done: queue}}
  queue:
    entry: [{hold: {music: "{{ env.MUSIC }}"}}]
    exit: [resume]
    on: {app.agent_free: talking}
  talking:
    entry: [{generate_reply: Say that you are free now and ask what they need.}]
    tools: [end_call]
    silence: {30s: {target: ending, do: [{say: Goodbye.}]}}
    on: {tool.end_call: {target: ending, do: [{say: Goodbye.}]}}
tools: {end_call: {description: The caller is done.}}
""",
        {
            "    on: {app.agent_free: talking}\n": "    after: {5m: {target: ending, do: [{say: Nobody is free today. Goodbye.}]}}\n    on: {app.agent_free: talking}\n",
        },
    ),
    "opening hours that a timer around them cuts": Fault(
        "never-heard-out",
        """
initial: hours
states:
  hours:
    initial: telling
    after: {3s: ending}
    states:
      telling: {entry: [{say: "Our office is open from Monday to Friday, nine to five, and on Saturdays from ten to two. We wish you a pleasant day. Goodbye."}], on: {done: told}}
      told: {final: true}
    on: {done: ending}
""",
        {
            "    after: {3s: ending}\n": "",
        },
    ),
    "a colleague who does not answer the question, and stays on the line": Fault(
        "dialled-twice",
        """
env: [TRUNK, DESK, MUSIC]
tools: {human: {description: A person.}, end_call: {description: The caller is done.}}
initial: talking
states:
  talking:
    entry: [{generate_reply: Greet the caller and ask what they need.}]
    tools: [human, end_call]
    silence: {40s: {target: ending, do: [{say: Goodbye.}]}}
    on:
      tool.human: {target: calling, do: [{say: I call a colleague.}]}
      tool.end_call: {target: ending, do: [{say: Goodbye.}, {outcome: completed}]}
  calling:
    entry: [{hold: {music: "{{ env.MUSIC }}"}}, {dial: {to: "{{ env.DESK }}", trunk: "{{ env.TRUNK }}", leg: human}}]
    on:
      dial.answered: asking
      dial.*: {target: talking, do: [resume, {say: Nobody is there.}]}
  asking:
    entry: [{say: {text: "A caller needs help. Press one to take the call.", to: human}}]
    after: {10s: {target: talking, do: [resume, {say: Nobody can take your call.}]}}
    on:
      leg.human.dtmf.1: both
      leg.human.hangup: {target: talking, do: [resume, {say: Nobody can take your call.}]}
  both: {must_finish: true, entry: [{outcome: transferred}, stand_by], on: {done: ending}}
""",
        {
            "after: {10s: {target: talking, do: [resume, {say: Nobody can take your call.}]}}": "after: {10s: {target: talking, do: [{remove_participant: human}, resume, {say: Nobody can take your call.}]}}",
        },
    ),
    "a busy number that is dialled again without a pause": Fault(
        "endless-round",
        """
env: [TRUNK]
vars: {number: phone}
initial: dialing
states:
  dialing:
    entry: [{dial: {to: "{{ vars.number }}", trunk: "{{ env.TRUNK }}"}}]
    on:
      dial.answered: telling
      dial.busy: dialing
      dial.no_answer: dialing
      dial.*: {target: ending, do: [{outcome: "{{ event.result }}"}]}
  telling: {entry: [{say: Your order has arrived. Goodbye.}, {outcome: completed}], on: {done: ending}}
""",
        {
            "dial.busy: dialing": "dial.busy: [{target: pause, when: state.visits < 3}, {target: ending, do: [{outcome: busy}]}]",
            "dial.no_answer: dialing": "dial.no_answer: [{target: pause, when: state.visits < 3}, {target: ending, do: [{outcome: no_answer}]}]",
            "  telling:": "  pause: {after: {5m: dialing}}\n  telling:",
        },
    ),
    "a message before the beep": Fault(
        "talks-to-machine",
        """
env: [TRUNK]
vars: {number: phone}
initial: dialing
states:
  dialing:
    entry: [{dial: {to: "{{ vars.number }}", trunk: "{{ env.TRUNK }}"}}]
    on:
      dial.answered: who
      dial.*: {target: ending, do: [{outcome: "{{ event.result }}"}]}
  who:
    entry: [{say: "This is the practice of Doctor Green. Your results are here."}, {detect_machine: {timeout: 10s}}]
    on:
      amd.machine-vm: {target: ending, do: [{outcome: voicemail}]}
      amd.machine-*: {target: ending, do: [{outcome: machine}]}
      amd.*: {target: ending, do: [{say: Please come by. Goodbye.}, {outcome: completed}]}
""",
        {
            '{say: "This is the practice of Doctor Green. Your results are here."}, {detect_machine: {timeout: 10s}}': "{detect_machine: {timeout: 10s}}",
            "      amd.machine-vm: {target: ending, do: [{outcome: voicemail}]}": '      amd.machine-vm: {target: ending, do: [{say: "This is the practice of Doctor Green. Please call back. Goodbye."}, {outcome: voicemail}]}',
            "{say: Please come by. Goodbye.}": "{say: This is the practice of Doctor Green. Your results are here. Please come by. Goodbye.}",
        },
    ),
    "a queue whose music ends": Fault(
        "quiet-too-long",
        """
env: [MUSIC]
events: {app.agent_free: {}}
senders: {app.agent_free: program}
tools: {end_call: {description: The caller is done.}}
initial: queue
states:
  queue:
    entry: [{say: All our agents are busy. Please wait.}, {play: "{{ env.MUSIC }}"}]
    after: {5m: {target: ending, do: [{say: Nobody is free today. Goodbye.}]}}
    on: {app.agent_free: talking}
  talking:
    entry: [{generate_reply: Say that you are free now and ask what they need.}]
    tools: [end_call]
    silence: {30s: {target: ending, do: [{say: Goodbye.}]}}
    on: {tool.end_call: {target: ending, do: [{say: Goodbye.}]}}
""",
        {
            '{play: "{{ env.MUSIC }}"}': '{play: {file: "{{ env.MUSIC }}", loop: true}}',
        },
    ),
    "a queue whose next place has no music": Fault(
        "quiet-too-long",
        """
env: [MUSIC]
events: {app.agent_free: {}, app.next: {}}
senders: {app.agent_free: program, app.next: program}
tools: {end_call: {description: The caller is done.}}
initial: queue
states:
  queue:
    initial: far
    after: {5m: {target: ending, do: [{say: Nobody is free today. Goodbye.}]}}
    on: {app.agent_free: talking}
    states:
      far: {entry: [{say: Please wait.}, {play: {file: "{{ env.MUSIC }}", loop: true}}], on: {app.next: near}}
      near: {entry: [{say: You are next.}]}
  talking:
    entry: [{generate_reply: Say that you are free now and ask what they need.}]
    tools: [end_call]
    silence: {30s: {target: ending, do: [{say: Goodbye.}]}}
    on: {tool.end_call: {target: ending, do: [{say: Goodbye.}]}}
""",
        {
            "[{say: You are next.}]": '[{say: You are next.}, {play: {file: "{{ env.MUSIC }}", loop: true}}]',
        },
    ),
    "a caller who is muted for a card number, and stays so": Fault(
        "quiet-too-long",
        """
tools: {end_call: {description: The caller is done.}, card: {description: The caller wants to pay by card.}}
initial: talking
states:
  talking:
    entry: [{generate_reply: Greet the caller.}]
    tools: [end_call, card]
    silence: {40s: {target: ending, do: [{say: Goodbye.}]}}
    on:
      tool.card: paying
      tool.end_call: {target: ending, do: [{say: Goodbye.}]}
  paying:
    entry: [mute, {collect_digits: {prompt: Please key in your card number., min: 12, max: 19, terminator: "#"}}]
    on:
      dtmf.input: {target: paid, do: [{log: Paid.}]}
      dtmf.*: {target: talking, do: [unmute, {say: I have got no number. What else can I do for you?}]}
  paid:
    entry: [{generate_reply: Thank them and ask what else you can do.}]
    tools: [end_call]
    silence: {40s: {target: ending, do: [{say: Goodbye.}]}}
    on: {tool.end_call: {target: ending, do: [{say: Goodbye.}]}}
""",
        {
            "do: [{log: Paid.}]": "do: [unmute, {log: Paid.}]",
        },
    ),
    "a colleague who hangs up, and a caller who is left in silence": Fault(
        "quiet-too-long",
        """
env: [TRUNK, DESK, MUSIC]
tools: {human: {description: A person.}, end_call: {description: The caller is done.}}
initial: talking
states:
  talking:
    entry: [{generate_reply: Greet the caller and ask what they need.}]
    tools: [human, end_call]
    silence: {40s: {target: ending, do: [{say: Goodbye.}]}}
    on:
      tool.human: {target: asking, do: [{say: I ask a colleague.}]}
      tool.end_call: {target: ending, do: [{say: Goodbye.}, {outcome: completed}]}
  asking:
    entry: [{consult: {to: "{{ env.DESK }}", trunk: "{{ env.TRUNK }}", briefing: A caller., accept: {key: "1"}, music: "{{ env.MUSIC }}", timeout: 40s}}]
    on:
      consult.accepted: together
      consult.*: {target: talking, do: [{say: Nobody is there.}]}
  together:
    waits: for the two to finish
    entry: [{say: You are connected.}, {outcome: transferred}]
""",
        {
            "{outcome: transferred}]\n": "{outcome: transferred}]\n    on: {leg.human.hangup: {target: ending, do: [{say: Your colleague has left. Goodbye.}]}}\n",
        },
    ),
    "a colleague who is called in silence": Fault(
        "quiet-too-long",
        """
env: [TRUNK, DESK, MUSIC]
tools: {human: {description: A person.}}
initial: talking
states:
  talking:
    entry: [{generate_reply: Greet the caller and ask what they need.}]
    tools: [human]
    silence: {40s: {target: ending, do: [{say: Goodbye.}]}}
    on:
      tool.human: {target: calling, do: [{say: I call a colleague.}]}
  calling:
    entry: [{dial: {to: "{{ env.DESK }}", trunk: "{{ env.TRUNK }}", leg: human, ringing_timeout: 45s}}]
    on:
      dial.answered: both
      dial.*: {target: talking, do: [{say: Nobody is there.}]}
  both: {must_finish: true, entry: [{outcome: transferred}, stand_by], on: {done: ending}}
""",
        {
            "ringing_timeout: 45s}": "ringing_timeout: 45s, play_dialtone: true}",
        },
    ),
    "a voicemail that is read a menu": Fault(
        "talks-to-machine",
        """
env: [TRUNK]
vars: {number: phone}
initial: dialing
states:
  dialing:
    entry: [{dial: {to: "{{ vars.number }}", trunk: "{{ env.TRUNK }}", detect_machine: true}}]
    on: {dial.answered: who, dial.*: {target: ending, do: [{outcome: "{{ event.result }}"}]}}
  who: {on: {amd.*: menu}}
  menu:
    entry: [{collect_digits: {prompt: "Press one to confirm your appointment, two to cancel it.", count: 1, tries: 2}}]
    on:
      dtmf.input: {target: ending, do: [{say: Thank you. Goodbye.}, {outcome: completed}]}
      dtmf.*: {target: ending, do: [{say: We will call again. Goodbye.}, {outcome: none}]}
""",
        {
            "who: {on: {amd.*: menu}}": "who: {on: {amd.machine-vm: {target: ending, do: [{say: Please call us about your appointment. Goodbye.}, {outcome: voicemail}]}, amd.machine-*: {target: ending, do: [{outcome: machine}]}, amd.*: menu}}",
        },
    ),
}

UNUSUAL = {
    "a night bell: the line is taken only in office hours": """
answer: manual
tools: {end_call: {description: The caller is done.}}
initial: deciding
states:
  deciding:
    after: {1s: [{target: refusing, when: 'not in_hours(event.time, "Mon-Fri 09:00-17:00", "Europe/Berlin")'}, taking]}
  refusing: {entry: [{reject: busy}, {outcome: declined}], on: {done: ending}}
  taking: {entry: [answer], on: {done: talking}}
  talking:
    entry: [{generate_reply: Greet the caller.}]
    tools: [end_call]
    silence: {30s: {target: ending, do: [{say: Goodbye.}]}}
    on: {tool.end_call: {target: ending, do: [{say: Goodbye.}]}}
""",
    "a conference of three": """
env: [TRUNK, A, B]
initial: first
states:
  first:
    entry: [{say: I call the others.}, {dial: {to: "{{ env.A }}", trunk: "{{ env.TRUNK }}", leg: ann, play_dialtone: true}}]
    on: {dial.answered: second, dial.*: {target: ending, do: [{say: The first one is not there. Goodbye.}]}}
  second:
    entry: [{dial: {to: "{{ env.B }}", trunk: "{{ env.TRUNK }}", leg: bob, play_dialtone: true}}]
    on: {dial.answered: three, dial.*: three}
  three: {must_finish: true, entry: [{say: Here we are. I leave you now.}, stand_by], on: {done: ending}}
""",
    "an alarm that rings until it is confirmed": """
env: [TRUNK]
vars: {numbers: {type: list of string}, at: {type: integer, default: 0}}
initial: next
states:
  next:
    always: [{target: dialing, when: vars.at < len(vars.numbers)}, {target: ending, do: [{outcome: no_answer}]}]
  dialing:
    entry: [{dial: {to: "{{ vars.numbers[vars.at] }}", trunk: "{{ env.TRUNK }}", ringing_timeout: 25s}}]
    on: {dial.answered: alarm, dial.*: pause, failed: pause}
  pause: {entry: [{set: {at: "{{ vars.at + 1 }}"}}], after: {5s: next}}
  alarm:
    entry: [{collect_digits: {prompt: The freezer is warm. Press one to take over., count: 1, tries: 3}}]
    on:
      dtmf.input: [{target: ending, when: 'event.digits == "1"', do: [{say: Thank you. Goodbye.}, {outcome: completed}]}, {target: ending, do: [{say: Goodbye.}, {outcome: declined}]}]
      dtmf.*: {target: ending, do: [{say: Goodbye.}, {outcome: no_answer}]}
""",
    "a radio: music as long as the caller likes": """
env: [STREAM]
initial: playing
states:
  playing:
    waits: for the caller to have heard enough
    entry: [{say: You are listening to our programme. Press the star key to stop.}, {play: {file: "{{ env.STREAM }}", loop: true}}]
    on: {dtmf.star: {target: ending, do: [{say: Goodbye.}]}}
""",
    "a PIN with three tries and then a person": """
vars: {tries: {type: integer, default: 0}}
initial: pin
states:
  pin:
    entry: [{collect_digits: {prompt: Please key in your PIN., count: 4, first_digit: 8s}}]
    on:
      dtmf.input:
        - {target: in, when: 'event.digits == "1234"'}
        - {target: wrong, do: [{set: {tries: "{{ vars.tries + 1 }}"}}]}
      dtmf.*: {target: wrong, do: [{set: {tries: "{{ vars.tries + 1 }}"}}]}
  wrong:
    entry: [{say: That was not right.}]
    on: {done: [{target: desk, when: vars.tries >= 3}, pin]}
  in: {entry: [{say: Your balance is ten euros. Goodbye.}], on: {done: ending}}
  desk:
    entry: [{say: I put you through.}, {transfer: {to: "tel:+15551234567", play_dialtone: true}}]
    on: {transfer.completed: ending, transfer.failed: {target: ending, do: [{say: Nobody is there. Goodbye.}]}}
""",
    "a walkie-talkie: keys are the only way to speak": """
tools: {end_call: {description: The caller is done.}}
initial: listening
states:
  listening:
    entry: [{say: Press the star key to ask something. Press the pound key to end.}]
    on: {dtmf.star: asking, dtmf.pound: {target: ending, do: [{say: Goodbye.}]}}
    silence: {20s: {do: [{say: Press the star key to ask something.}]}, 60s: {target: ending, do: [{say: Goodbye.}]}}
  asking:
    entry: [{say: Please ask.}]
    instructions: Answer in one sentence.
    tools: [end_call]
    after: {60s: {target: listening}}
    silence: {20s: listening}
    on: {dtmf.star: listening, tool.end_call: {target: ending, do: [{say: Goodbye.}]}}
""",
    "a supervisor who whispers": """
legs: {coach: {identity: coach}}
events: {app.hint: {text: string}}
senders: {app.hint: coach}
tools: {end_call: {description: The caller is done.}}
initial: talking
states:
  talking:
    entry: [{generate_reply: Greet the caller.}]
    tools: [end_call]
    silence: {60s: {target: ending, do: [{say: Goodbye.}]}}
    on:
      app.hint: {do: [{generate_reply: {instructions: "Tell them this: {{ event.text }}"}}]}
      tool.end_call: {target: ending, do: [{say: Goodbye.}]}
""",
    "a callback that is promised, and the line drops": """
env: [CRM]
vars: {name: {type: string, default: ""}}
tools: {callback: {description: The caller wants to be called back., parameters: {who: string}}}
initial: talking
states:
  talking:
    entry: [{generate_reply: "Say that all lines are busy, and ask for their name."}]
    tools: [callback]
    silence: {15s: {do: [{say: Please tell me your name.}]}, 40s: {target: ending, do: [{say: Please call again. Goodbye.}]}}
    on: {tool.callback: {target: noting, do: [{set: {name: "{{ event.who }}"}}]}}
  noting:
    entry: [{say: "Thank you, {{ vars.name }}. We call you back. Goodbye."}, {http: {url: "{{ env.CRM }}/callbacks", method: POST, json: {name: "{{ vars.name }}", number: '{{ default(call.number, "unknown") }}'}, timeout: 8s, optional: true}}]
    on: {done: ending}
""",
    "two regions: a clock that warns, and a conversation": """
tools: {end_call: {description: The caller is done.}}
initial: call
states:
  call:
    parallel: true
    on: {tool.end_call: {target: ending, do: [{say: Goodbye.}]}}
    states:
      talk:
        initial: talking
        states:
          talking:
            entry: [{generate_reply: Greet the caller.}]
            tools: [end_call]
            silence: {60s: {target: ending, do: [{say: Goodbye.}]}}
      clock:
        initial: early
        states:
          early: {after: {4m: late}}
          late: {entry: [{say: One minute left.}], after: {1m: {target: ending, do: [{say: Our time is over. Goodbye.}]}}}
""",
    "a door phone: the visitor is let in by a key of the tenant": """
env: [TRUNK, TENANT]
initial: ringing
states:
  ringing:
    entry: [{say: I ring the tenant.}, {dial: {to: "{{ env.TENANT }}", trunk: "{{ env.TRUNK }}", leg: tenant, play_dialtone: true, ringing_timeout: 25s}}]
    on: {dial.answered: both, dial.*: {target: ending, do: [{say: Nobody is at home. Goodbye.}]}}
  both:
    entry: [{say: Somebody is at the door. Press nine to let them in.}]
    after: {2m: {target: ending, do: [{say: Goodbye.}]}}
    on:
      leg.tenant.dtmf.9: {target: ending, do: [{say: The door is open. Goodbye.}, {outcome: completed}]}
      leg.tenant.hangup: {target: ending, do: [{say: Goodbye.}, {outcome: declined}]}
""",
}
