"""States, and results, that no call comes to, as in `tests.proof.faults`; and flows that look as if there were some."""

from __future__ import annotations

from tests.proof.faults.fault import END, OFFERS, Fault

_TALKS = "entry: [{generate_reply: Help.}], silence: {20s: ending}"

UNREACHED = {
    "a state for whoever says nothing, after a shorter time has led on": Fault(
        "never-entered",
        """
initial: asking
states:
  asking:
    entry: [{say: One moment.}]
    after: {8s: again}
    on: {dtmf.1: ending}
  again: {entry: [{say: Once more.}], after: {2s: ending, 5s: sorry}}
  sorry: {entry: [{say: I have heard nothing. Goodbye.}], on: {done: ending}}
""",
        {"2s: ending, 5s: sorry": "5s: sorry"},
        (
            "0 s: the call begins.",
            '2 s: the caller is on the line. In asking. The caller hears "One moment."',
            '10 s: 8s of asking are over. In again. "One moment." is cut.',
            "`sorry` is never entered.",
        ),
    ),
    "a region that is one state, and so never done": Fault(
        "never-entered",
        """
initial: both
states:
  both:
    parallel: true
    on: {done: told}
    after: {25s: {target: ending, do: [{say: I am sorry. Goodbye.}]}}
    states:
      words: {initial: one, states: {one: {entry: [{say: One moment.}], on: {done: over}}, over: {final: true}}}
      watch: {entry: [{log: Watching.}]}
  told: {entry: [{say: Goodbye.}], on: {done: ending}}
""",
        {
            "watch: {entry: [{log: Watching.}]}": "watch: {initial: noted, states: {noted: {final: true, entry: [{log: Watching.}]}}}"
        },
    ),
    "a hang-up that nobody stays to hear of": Fault(
        "never-entered",
        f"""
env: [TRUNK, NUMBER]
{END}initial: calling
states:
  calling:
    entry: [{{dial: {{to: "{{{{ env.NUMBER }}}}", trunk: "{{{{ env.TRUNK }}}}", leg: human, play_dialtone: true}}}}]
    on: {{dial.answered: both, dial.*: talking}}
  both: {{entry: [stand_by], on: {{done: ending}}}}
  talking: {{{_TALKS}, {OFFERS.split(", on:")[0]}, on: {{tool.end_call: ending, leg.human.hangup: alone}}}}
  alone: {{entry: [{{say: They have left. Goodbye.}}], on: {{done: ending}}}}
""",
        {"leg.human.hangup: alone": "dtmf.1: alone"},
    ),
    "a time that is shorter than a briefing": Fault(
        "row-never-taken",
        """
env: [TRUNK, NUMBER, MUSIC]
initial: asking
states:
  asking:
    entry:
      - consult:
          to: "{{ env.NUMBER }}"
          trunk: "{{ env.TRUNK }}"
          music: "{{ env.MUSIC }}"
          briefing: A customer is on the line who has waited for long, and would like to know about an order, a refund, and a date.
    on: {consult.accepted: both, consult.*: sorry}
    after: {2s: sorry, 50s: {do: [{log: Still there.}]}}
  both: {entry: [{outcome: transferred}, stand_by], on: {done: ending}}
  sorry: {entry: [{say: Nobody is there. Goodbye.}], on: {done: ending}}
""",
        {"2s: sorry": "40s: sorry"},
    ),
}

REACHED = {
    "a way that is taken when the call has lasted for long": """
initial: talking
states:
  talking:
    entry: [{generate_reply: {instructions: Help.}}]
    silence: {20s: [{target: long, when: call.elapsed > 2m}, ending]}
  long: {entry: [{say: We have talked for long. Goodbye.}], on: {done: ending}}
""",
    "the same by way of a variable": """
vars: {lasted: {type: duration, default: 0s}}
initial: talking
states:
  talking:
    entry: [{generate_reply: {instructions: Help.}}]
    exit: [{set: {lasted: "{{ call.elapsed }}"}}]
    silence: {20s: {target: over, do: [{say: I hear nothing.}]}}
  over: {entry: [{log: Over.}], on: {done: [{target: long, when: vars.lasted > 2m}, ending]}}
  long: {entry: [{say: We have talked for long. Goodbye.}], on: {done: ending}}
""",
    "a state for what an agent of the program's raises": """
initial: talking
on: {failed: sorry}
states:
  talking: {entry: [{generate_reply: {instructions: Help.}}], silence: {20s: ending}}
  sorry: {entry: [{say: Something has gone wrong. Goodbye.}], on: {done: ending, failed: ending}}
""",
    "two ways that the hours of the installation tell apart": """
env: [HOURS, ZONE]
initial: greeting
states:
  greeting: {entry: [{say: Good day.}], on: {done: [{target: open, when: "in_hours(event.time, env.HOURS, env.ZONE)"}, shut]}}
  open: {entry: [{say: We are open.}], on: {done: ending}}
  shut: {entry: [{say: We are closed. Goodbye.}], on: {done: ending}}
""",
    "a history that is come back to": """
initial: talking
states:
  talking:
    initial: one
    on: {dtmf.0: aside}
    silence: {30s: ending}
    states:
      one: {entry: [{say: Press one for more.}], on: {dtmf.1: two}}
      two: {entry: [{say: Press two for less.}], on: {dtmf.2: one}}
      last: {history: deep, initial: one}
  aside: {entry: [{say: One moment.}], on: {done: talking.last}}
""",
    "a tool that a held caller's model has no reason to call again and again": """
env: [STOCK, MUSIC]
vars: {drug: {type: string, default: ""}}
tools:
  end_call: {description: The caller is done.}
  look: {description: Look a drug up., parameters: {drug: string}}
initial: conversation
states:
  conversation:
    initial: talking
    tools: [look]
    on: {tool.look: {target: conversation.looking, do: [{set: {drug: "{{ event.drug }}"}}]}}
    states:
      talking:
        entry: [{generate_reply: {instructions: Help the caller.}}]
        tools: [end_call]
        silence: {20s: {target: ending, do: [{say: Goodbye.}]}}
        on: {tool.end_call: {target: ending, do: [{say: Goodbye.}]}}
      looking:
        entry:
          - hold: {music: "{{ env.MUSIC }}"}
          - http: {url: "{{ env.STOCK }}/drugs/{{ vars.drug }}", timeout: 20s, optional: true}
          - resume
        on: {done: talking}
""",
    "a time that is shorter than the patience for a key, which may be lost to a failure as well": """
initial: asking
states:
  asking:
    entry: [{collect_digits: {prompt: One for yes., count: 1, first_digit: 8s}}]
    on: {dtmf.input: ending, dtmf.no_match: ending, dtmf.no_input: sorry}
    after: {6s: sorry}
  sorry: {entry: [{say: I have heard no key. Goodbye.}], on: {done: ending}}
""",
    "a guard that is asked in the ending, where nothing comes of it": """
vars: {n: {type: integer, default: 0}}
tools: {end_call: {description: Done.}}
initial: talking
states:
  talking:
    entry: [{generate_reply: Greet them.}]
    instructions: Help them.
    tools: [end_call]
    exit: [resume]
    silence: {30s: ending}
    on: {tool.end_call: ending, failed: {do: [{set: {n: "{{ vars.n + 1 }}"}}]}}
on:
  failed: {target: talking, when: vars.n < 2, do: [{set: {n: "{{ vars.n + 1 }}"}}]}
""",
    "a hold whose end fails, before a model that calls nothing while nobody is heard": """
env: [ST, MUSIC]
tools: {human: {description: Wants a person.}}
initial: talking
states:
  talking: {entry: [{generate_reply: {instructions: Help.}}], tools: [human], silence: {20s: ending}, on: {tool.human: calling}}
  calling:
    entry: [{hold: {music: "{{ env.MUSIC }}"}}, {dial: {to: "+15551234567", trunk: "{{ env.ST }}", leg: human, ringing_timeout: 20s}}]
    on: {dial.answered: asked, dial.*: back}
  asked:
    entry: [{say: {text: "A call for you. Press 1 to take it.", to: human}}]
    after: {9s: back}
    on: {leg.human.dtmf.1: both, leg.human.hangup: back}
  back: {entry: [resume, {say: Nobody can come.}, {remove_participant: human}], on: {done: talking, failed: talking}}
  both: {must_finish: true, entry: [resume, stand_by], on: {done: ending}}
""",
}
