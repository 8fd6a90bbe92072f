"""Faults of which somebody on the line is told nothing, or hears not all, as in `tests.proof.faults`; and flows that look like them."""

from __future__ import annotations

from tests.proof.faults.fault import END, OFFERS, Fault

_MOVES = """
env: [CRM]
initial: moving
states:
  sorry: {entry: [{say: Nobody is there.}], on: {done: ending}}
  moving:
    entry: [{say: One moment.}, {transfer: {to: "tel:+15551234567", play_dialtone: true}}]
"""

_ASKS = """
env: [TRUNK, COLLEAGUE]
tools: {human: {description: A person.}}
initial: talking
states:
  talking: {entry: [{say: What can I do for you?}], silence: {20s: ending}, tools: [human], on: {tool.human: asking}}
"""

_LOOKS_UP = """
env: [SHOP]
initial: looking
states:
  looking:
    entry: [{say: One moment.}, {http: {url: "{{ env.SHOP }}/orders", as: order, optional: true}}]
    on: {done: telling}
    after: {8s: sorry}
  sorry: {entry: [{say: I cannot see it just now. Goodbye.}], on: {done: ending}}
"""

UNHEARD = {
    "an answer that lacks what is read of it": Fault(
        "cut-off",
        f"""{_LOOKS_UP}  telling: {{entry: [{{say: "Your order is {{{{ vars.order.body.state }}}}."}}], on: {{done: ending}}}}
""",
        {"on: {done: telling}": "on: {done: [{target: telling, when: is_set(vars.order.body.state)}, sorry]}"},
        (
            "0 s: the call begins.",
            '2 s: the caller is on the line. In looking. The caller hears "One moment."',
            "2.225 s: http is asked.",
            (
                "3.225 s: http answers (status: 200, body: {}, leg: far_end). The action say fails (Your order is "
                "{{ vars.order.body.state }}.: vars.order.body.state has no value). No row takes that. In telling, then ending."
            ),
            "4.225 s: the line drops.",
            "Whoever is on the line was told nothing.",
        ),
    ),
    "a failure that a row may take": Fault(
        "cut-off",
        f"""{_LOOKS_UP}  telling:
    entry: [{{say: "Your order is {{{{ vars.order.body.state }}}}."}}]
    on: {{done: ending, dtmf.1: sorry}}
""",
        {"dtmf.1: sorry": "failed: sorry"},
    ),
    "keys that are no number": Fault(
        "cut-off",
        """
vars: {guests: {type: number, default: 0}}
initial: asking
states:
  asking:
    entry: [{collect_digits: {prompt: For how many?, max: 3, terminator: "#"}}]
    on:
      dtmf.input: {target: told, do: [{set: {guests: "{{ number(event.digits) }}"}}]}
      dtmf.*: {target: ending, do: [{say: Please call again. Goodbye.}]}
  told: {entry: [{say: "A table for {{ vars.guests }}. Goodbye."}], on: {done: ending}}
""",
        {
            'dtmf.input: {target: told, do: [{set: {guests: "{{ number(event.digits) }}"}}]}': "dtmf.input:\n"
            '        - {target: told, when: event.digits != "" and digits(event.digits) == event.digits, '
            'do: [{set: {guests: "{{ number(event.digits) }}"}}]}\n'
            "        - {target: ending, do: [{say: That is no number. Goodbye.}]}",
        },
        (
            "0 s: the call begins.",
            '2 s: the caller is on the line. In asking. The caller hears "For how many?" and is asked for keys.',
            (
                "3 s: the keys are *. The action set fails ({{ number(event.digits) }}: the text is no number). No row takes that. "
                "In told, then ending."
            ),
            "4 s: the line drops.",
            "Whoever is on the line was told nothing.",
        ),
    ),
    "a division by what was never counted": Fault(
        "cut-off",
        """
vars: {total: {type: number, default: 0}, ratings: {type: integer, default: 0}}
initial: asking
states:
  asking:
    entry: [{collect_digits: {prompt: How many stars?, count: 1}}]
    on:
      dtmf.input: {target: told, do: [{set: {ratings: "{{ vars.ratings + 1 }}", total: "{{ vars.total + len(event.digits) }}"}}]}
      dtmf.*: told
  told: {entry: [{say: "On average {{ round(vars.total / vars.ratings, 1) }}. Goodbye."}], on: {done: ending}}
""",
        {"/ vars.ratings, 1": "/ max(vars.ratings, 1), 1"},
    ),
    "a name that was emptied, in a goodbye": Fault(
        "cut-off",
        """
vars: {who: {type: string, default: you}}
tools: {end_call: {description: The caller is done.}, other: {description: Somebody else has taken the telephone.}}
initial: talking
states:
  talking:
    entry: [generate_reply]
    tools: [end_call, other]
    silence: {20s: {target: ending, do: [{say: Goodbye.}]}}
    on: {tool.end_call: {target: ending, do: [{say: "Goodbye {{ vars.who }}."}]}, tool.other: {do: [{set: {who: null}}]}}
""",
        {'"Goodbye {{ vars.who }}."': "'Goodbye {{ default(vars.who, \"to you\") }}.'"},
        (
            "0 s: the call begins.",
            "2 s: the caller is on the line. In talking. The model speaks.",
            "4 s: the model calls other.",
            "6 s: the model calls end_call. The action say fails (Goodbye {{ vars.who }}.: vars.who has no value). In ending.",
            "Until 7 s the caller hears nothing.",
            "7 s: the line drops.",
            "Whoever is on the line was told nothing.",
        ),
    ),
    "a parameter that the model need not give": Fault(
        "cut-off",
        """
vars: {who: {type: string, default: you}}
tools: {end_call: {description: The caller is done.}, tell: {description: Their name., parameters: {name_said: {type: string, required: false}}}}
initial: talking
states:
  talking:
    entry: [generate_reply]
    tools: [end_call, tell]
    silence: {20s: {target: ending, do: [{say: Goodbye.}]}}
    on: {tool.end_call: {target: ending, do: [{say: "Goodbye {{ vars.who }}."}]}, tool.tell: {do: [{set: {who: "{{ event.name_said }}"}}]}}
""",
        {'"{{ event.name_said }}"': "'{{ default(event.name_said, \"you\") }}'"},
    ),
    "a number that nobody sees": Fault(
        "cut-off",
        """
initial: talking
states:
  talking:
    entry: [{say: "You call from {{ call.number }}. Press one to be called back."}]
    on: {dtmf.1: noted}
    after: {30s: {target: ending, do: [{say: Goodbye.}]}}
  noted: {entry: [{say: That is noted. Goodbye.}], on: {done: ending}}
""",
        {
            '"You call from {{ call.number }}. Press': '\'You call from {{ default(call.number, "a hidden number") }}. Press',
            'back."': "back.'",
        },
    ),
    "a goodbye on hold": Fault(
        "said-to-nobody",
        """
env: [CRM]
initial: looking
states:
  looking:
    entry: [{say: One moment.}, {hold: {music: "builtin:hold_music"}}, {http: "{{ env.CRM }}"}, resume]
    on: {done: there, failed: sorry}
  there: {entry: [{say: It is there. Goodbye.}], on: {done: ending}}
  sorry: {entry: [{say: I cannot see it just now. Goodbye.}], on: {done: ending}}
""",
        {"sorry: {entry: [": "sorry: {entry: [resume, "},
        (
            "0 s: the call begins.",
            '2 s: the caller is on the line. In looking. The caller hears "One moment."',
            "2.225 s: the caller is on hold, with music.",
            "3.225 s: http is asked.",
            '4.225 s: http fails. In sorry. Nobody hears "I cannot see it just now. Goodbye."',
        ),
    ),
    "an announcement on hold, and back to the conversation": Fault(
        "said-to-nobody",
        f"""{_ASKS}  asking:
    entry: [{{hold: {{music: "builtin:hold_music"}}}}]
    after: {{8s: {{target: talking, do: [{{say: It takes a little longer.}}, resume]}}}}
""",
        {
            "[{say: It takes a little longer.}, resume]": "[{say: {text: It takes a little longer., to: far_end}}, resume]"
        },
    ),
    "words of the model on hold": Fault(
        "said-to-nobody",
        f"""{_ASKS}  asking: {{entry: [{{hold: {{music: "builtin:hold_music"}}}}, {{generate_reply: Tell them that nobody is free.}}, resume], on: {{done: ending}}}}
""",
        {'{hold: {music: "builtin:hold_music"}}, {g': "{g", ", resume]": "]"},
    ),
    "a goodbye that the colleague hears, and the caller does not": Fault(
        "cut-off",
        f"""{_ASKS}  asking:
    entry: [{{say: One moment.}}, {{hold: {{music: "builtin:hold_music"}}}}, {{dial: {{to: "{{{{ env.COLLEAGUE }}}}", trunk: "{{{{ env.TRUNK }}}}", leg: human}}}}]
    on: {{dial.answered: briefing, dial.*: {{target: ending, do: [resume, {{say: Nobody is there. Goodbye.}}]}}}}
  briefing:
    entry: [{{say: {{text: A caller is waiting. Press one., to: human}}}}]
    on: {{leg.human.dtmf.1: together, leg.human.hangup: nobody}}
    after: {{20s: too_late}}
  nobody: {{entry: [resume, {{say: Nobody is there. Goodbye.}}], on: {{done: ending}}}}
  too_late: {{entry: [{{say: Nobody can take your call. Goodbye.}}], on: {{done: ending}}}}
  together: {{must_finish: true, entry: [resume, stand_by], on: {{done: ending}}}}
""",
        {"too_late: {entry: [": "too_late: {entry: [resume, "},
        (
            "0 s: the call begins.",
            '2 s: the caller is on the line. In talking. The caller hears "What can I do for you?"',
            '4.4 s: the model calls human. In asking. The caller hears "One moment."',
            "4.625 s: the caller is on hold, with music.",
            "5.625 s: the human is called.",
            "7.625 s: the human is on the line.",
            '8.625 s: In briefing. The human hears "A caller is waiting. Press one."',
            '28.625 s: 20s of briefing are over. In too_late. The human hears "Nobody can take your call. Goodbye."',
            "29.325 s: In ending.",
            "30.325 s: the line drops.",
            "The far end was told nothing.",
        ),
    ),
    "a goodbye to the wrong party": Fault(
        "cut-off",
        f"""{_ASKS}  asking:
    entry: [{{say: One moment.}}, {{dial: {{to: "{{{{ env.COLLEAGUE }}}}", trunk: "{{{{ env.TRUNK }}}}", leg: human, play_dialtone: true}}}}]
    on: {{dial.answered: both, dial.*: {{target: ending, do: [{{say: Nobody is there. Goodbye.}}]}}}}
  both:
    entry: [{{say: You are both on the line.}}]
    after: {{30m: too_long}}
    on: {{leg.human.hangup: {{target: ending, do: [{{say: They have hung up. Goodbye.}}]}}}}
  too_long: {{entry: [{{say: {{text: The time is up. Goodbye., to: human}}}}], on: {{done: ending}}}}
""",
        {"{text: The time is up. Goodbye., to: human}": "The time is up. Goodbye."},
    ),
    "a goodbye to whoever has been put through, once that is noted": Fault(
        "speech-after-drain",
        f"""{_MOVES}    on: {{transfer.completed: through, transfer.failed: sorry}}
  through:
    entry: [{{http: {{url: "{{{{ env.CRM }}}}", optional: true}}}}, {{say: You are connected.}}]
    on: {{done: ending}}
""",
        {", {say: You are connected.}]": "]"},
        (
            "0 s: the call begins.",
            '2 s: the caller is on the line. In moving. The caller hears "One moment."',
            "2.225 s: the caller is being put through to tel:+15551234567.",
            "3.225 s: the caller is put through. In through. Http is asked.",
            '4.225 s: http answers (status: 200, body: something, leg: far_end). Nobody hears "You are connected."',
        ),
    ),
    "a goodbye to whoever has been put through, on the way to the ending": Fault(
        "speech-after-drain",
        f"""{_MOVES}    on: {{transfer.completed: {{target: ending, do: [{{log: "{{{{ env.CRM }}}}"}}, {{say: Goodbye.}}]}}, transfer.failed: sorry}}
""",
        {", {say: Goodbye.}]": "]"},
    ),
    "a goodbye to whoever has been put through, after a while": Fault(
        "speech-after-drain",
        f"""{_MOVES}    on: {{transfer.completed: through, transfer.failed: sorry}}
  through: {{entry: [{{log: "{{{{ env.CRM }}}}"}}], after: {{5s: {{target: ending, do: [{{say: Goodbye.}}]}}}}}}
""",
        {"do: [{say: Goodbye.}]": "do: [{log: Goodbye.}]"},
    ),
    "a goodbye that a request overtakes": Fault(
        "speech-cut",
        """
env: [CRM]
initial: farewell
states:
  farewell:
    entry: [{say: {text: "Thank you for your call. We wish you a pleasant day. Goodbye.", wait: false}}, {http: {url: "{{ env.CRM }}", optional: true}}]
    on: {done: ending}
""",
        {"optional: true}}]": "optional: true}}, wait_for_speech]"},
        (
            "0 s: the call begins.",
            (
                '2 s: the caller is on the line. In farewell. The caller hears "Thank you for your call. We wish you a pleasant day. Goodbye." '
                "Http is asked."
            ),
            '3 s: http answers (status: 200, body: something, leg: far_end). In ending. "Thank you for your call. We wish you a …" is cut.',
            "4 s: the line drops.",
        ),
    ),
    "a goodbye that an event of its own list overtakes": Fault(
        "speech-cut",
        """
env: [CRM]
events: {app.noted: {}}
senders: {app.noted: program}
initial: farewell
states:
  farewell:
    entry: [{say: {text: "Thank you for your call. We wish you a pleasant day. Goodbye.", wait: false}}, {http: {url: "{{ env.CRM }}", optional: true}}, {emit: app.noted}]
    on: {app.noted: over}
  over: {entry: [{log: Noted.}], on: {done: ending}}
""",
        {'{text: "Thank': '"Thank', 'Goodbye.", wait: false}}': 'Goodbye."}'},
    ),
    "a goodbye that another region overtakes": Fault(
        "speech-cut",
        """
env: [CRM]
initial: closing
states:
  closing:
    parallel: true
    on: {done: ending}
    states:
      words: {initial: saying, states: {saying: {entry: [{say: Thank you for your call. Goodbye.}], on: {done: said}}, said: {final: true}}}
      noting: {initial: noted, states: {noted: {entry: [{http: {url: "{{ env.CRM }}", optional: true}}], on: {done: ending, dtmf.1: over}}, over: {final: true}}}
""",
        {"{done: ending, dtmf.1: over}": "{done: over}"},
    ),
    "an answer that is told over music": Fault(
        "music-goes-on",
        """
env: [CRM, MUSIC]
initial: looking
states:
  looking:
    entry: [{say: One moment.}, {play: {file: "{{ env.MUSIC }}", loop: true}}, {http: {url: "{{ env.CRM }}", optional: true}}, {say: There are some left. Goodbye.}]
    on: {done: ending}
""",
        {
            ", {say: There are some left. Goodbye.}]\n    on: {done: ending}": "]\n    on: {done: told}\n  told: {entry: [{say: There are some left. Goodbye.}], on: {done: ending}}"
        },
        (
            "0 s: the call begins.",
            '2 s: the caller is on the line. In looking. The caller hears "One moment."',
            "2.225 s: the caller hears music.mp3. Http is asked.",
            '3.225 s: http answers (status: 200, body: something, leg: far_end). The caller hears "There are some left. Goodbye."',
            "The music goes on.",
        ),
    ),
    "an answer that is told inside of the state with the music": Fault(
        "music-goes-on",
        """
env: [CRM, MUSIC]
initial: looking
states:
  looking:
    entry: [{say: One moment.}, {play: {file: "{{ env.MUSIC }}", loop: true}}]
    initial: asking
    after: {60s: {target: ending, do: [{say: That takes too long. Goodbye.}]}}
    states:
      asking: {entry: [{http: {url: "{{ env.CRM }}", optional: true}}], on: {done: told}}
      told: {entry: [{say: There are some left. Goodbye.}], on: {done: ending}}
""",
        {"loop: true}": "loop: true, duck: 0.2}"},
    ),
}
"""With the right value in place of the wrong one nothing is found."""

HEARD = {
    "what is noted when all has been said": """
env: [URL]
initial: talking
states:
  talking:
    entry: [{say: Thank you. We have noted it.}, {http: {url: "{{ env.URL }}", optional: true, as: answer}}, {log: "noted as {{ vars.answer.body.id }}"}]
    on: {done: ending}
""",
    "an answer that has another form, where one is read with care": f"""{_LOOKS_UP}  telling:
    entry: [{{say: 'Your order is {{{{ default(text(vars.order.body.state), "not known") }}}}.'}}]
    on: {{done: ending}}
""",
    "a task of the program's, which gives what it is for": """
vars: {address: {type: string, default: ""}}
initial: address
states:
  address:
    task: get_address
    on: {task.completed: {target: thanking, do: [{set: {address: "{{ event.result }}"}}]}, task.failed: {target: thanking}}
  thanking: {entry: [{say: "Thank you, {{ vars.address }}."}], on: {done: ending}}
""",
    "a failure that the whole flow takes": """
env: [URL]
initial: asking
states:
  asking:
    initial: at_once
    on: {failed: sorry}
    states:
      at_once:
        entry: [{say: One moment.}, {http: {url: "{{ env.URL }}", as: slots}}, {say: "The first is {{ vars.slots.body[0] }}."}]
        on: {done: ending}
  sorry: {entry: [{say: Nothing is free. Goodbye.}], on: {done: ending}}
""",
    "a text of a tool, whose failure the model is told": f"""
env: [URL]
{END.replace("tools: {", 'tools: {stock: {description: x, run: {http: {url: "{{ env.URL }}"}}, result: "There are {{ result.body.count }}."}, ')}initial: talking
states:
  talking: {{entry: [generate_reply], silence: {{20s: {{target: ending, do: [{{say: Goodbye.}}]}}}}, {OFFERS.replace("[end_call]", "[end_call, stock]").replace("on: {", "on: {tool.stock: {do: [{log: asked}]}, ")}}}}}
""",
    "a goodbye to each by themselves": f"""{_ASKS}  asking:
    entry: [{{say: One moment.}}, {{dial: {{to: "{{{{ env.COLLEAGUE }}}}", trunk: "{{{{ env.TRUNK }}}}", leg: human, play_dialtone: true}}}}]
    on: {{dial.answered: both, dial.*: {{target: ending, do: [{{say: Nobody is there. Goodbye.}}]}}}}
  both:
    entry: [{{say: You are both on the line.}}]
    after: {{30m: too_long}}
    on: {{leg.human.hangup: {{target: ending, do: [{{say: They have hung up. Goodbye.}}]}}}}
  too_long: {{entry: [{{say: {{text: The time is up., to: far_end}}}}, {{say: {{text: Thank you. Goodbye., to: human}}}}], on: {{done: ending}}}}
""",
    "a word on hold to whoever waits": f"""{_ASKS}  asking:
    entry: [{{consult: {{to: "{{{{ env.COLLEAGUE }}}}", trunk: "{{{{ env.TRUNK }}}}", briefing: A caller., accept: {{key: "1"}}, timeout: 60s}}}}]
    every: {{20s: {{do: [{{say: {{text: I am still trying., to: far_end}}}}]}}}}
    on: {{consult.accepted: together, consult.*: {{target: ending, do: [{{say: They cannot talk. Goodbye.}}]}}}}
  together: {{must_finish: true, entry: [stand_by], on: {{done: ending}}}}
""",
    "a region that speaks into a hold of another one": f"""{_ASKS}  asking:
    parallel: true
    on: {{done: ending}}
    states:
      calls:
        initial: now
        states:
          now: {{entry: [{{consult: {{to: "{{{{ env.COLLEAGUE }}}}", trunk: "{{{{ env.TRUNK }}}}", briefing: A caller., accept: {{key: "1"}}, music: "builtin:hold_music"}}}}], on: {{consult.accepted: together, consult.*: sorry}}}}
          together: {{must_finish: true, entry: [stand_by], on: {{done: over}}}}
          sorry: {{entry: [{{say: They cannot talk.}}], on: {{done: over}}}}
          over: {{final: true}}
      watch:
        initial: early
        states: {{early: {{after: {{20s: late}}}}, late: {{entry: [{{say: It takes a while.}}], on: {{done: over}}}}, over: {{final: true}}}}
""",
    "an ending that says goodbye to everybody": f"""{_MOVES}    on: {{transfer.completed: {{target: ending, do: [{{log: "{{{{ env.CRM }}}}"}}]}}, transfer.failed: sorry}}
  ending: {{entry: [{{say: Goodbye.}}, drain, delete_room, aclose, shutdown], on: {{done: closed}}}}
  closed: {{final: true}}
""",
    "one moment, and the answer may come sooner": f"""{_LOOKS_UP.replace("{say: One moment.}", "{say: {text: One moment please. I look whether it is there., wait: false}}")}  telling:
    entry: [{{say: It is on its way. Goodbye.}}]
    on: {{done: ending}}
""",
    "a word that is short, and a long wait": """
initial: waiting
states:
  waiting: {entry: [{say: {text: One moment., wait: false}}, {collect_digits: {count: 1, timeout: 9s}}], on: {dtmf.no_input: ending, dtmf.*: there}}
  there: {entry: [{say: Hello. Goodbye.}], on: {done: ending}}
""",
    "a queue that is told to wait, and where they are in it": """
env: [MUSIC]
events: {app.free: {}, app.place: {place: string}}
senders: {app.free: program, app.place: program}
initial: queue
states:
  queue:
    entry: [{say: Please hold the line.}, {play: {file: "{{ env.MUSIC }}", loop: true}}]
    every: {60s: {do: [{say: Please wait.}]}}
    on: {app.free: free, app.place: {do: [{say: "You are number {{ event.place }}."}]}}
    after: {5m: {target: ending, do: [{say: Nobody is free. Goodbye.}]}}
  free: {entry: [{say: Somebody is free and calls you back. Goodbye.}], on: {done: ending}}
""",
}
"""Flows that look wrong, and in which nothing is."""
