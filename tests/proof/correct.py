"""Flows that look wrong, and in which nothing is."""

from __future__ import annotations

from tests.proof.faults.fault import END, OFFERS

CORRECT = {
    "one moment, and music until the program knows": """
env: [MUSIC]
events: {app.stock: {}}
senders: {app.stock: program}
tools: {stock: {description: Ask for the stock.}, end_call: {description: The caller is done.}}
initial: talking
states:
  talking:
    entry: [{generate_reply: {instructions: Help.}}]
    tools: [stock, end_call]
    silence: {30s: {target: ending, do: [{say: Goodbye.}]}}
    on:
      tool.stock: {target: waiting, do: [{say: One moment.}]}
      tool.end_call: {target: ending, do: [{say: Goodbye.}, {outcome: completed}]}
  waiting:
    entry: [{play: {file: "{{ env.MUSIC }}", loop: true}}]
    after: {60s: {target: talking, do: [{say: That takes too long.}]}}
    on: {app.stock: {target: talking, do: [{say: There are some.}]}}
""",
    "a call whose id is sent to the program before the line drops": """
env: [URL]
initial: talking
states:
  talking: {entry: [{say: One moment.}, {http: {url: "{{ env.URL }}", method: PUT, json: {id: "{{ call.id }}"}, timeout: 8s, optional: true}}, {say: Goodbye.}], on: {done: ending}}
""",
    "music that plays for a minute, whatever the caller says": """
env: [MUSIC]
initial: waiting
states:
  waiting: {entry: [{play: {file: "{{ env.MUSIC }}", loop: true}}], after: {60s: ending}}
""",
    "a word for whoever is left when the caller has hung up": """
env: [TRUNK, NUMBER]
tools: {end_call: {description: The caller is done.}, human: {description: A person.}}
initial: talking
states:
  talking:
    entry: [{generate_reply: {instructions: Help.}}]
    tools: [end_call, human]
    silence: {30s: {target: ending, do: [{say: Goodbye.}]}}
    on:
      tool.human: asking
      tool.end_call: {target: ending, do: [{say: Goodbye.}, {outcome: completed}]}
  asking:
    entry: [{consult: {to: "{{ env.NUMBER }}", trunk: "{{ env.TRUNK }}", timeout: 25s, accept: {key: "1"}, briefing: A caller.}}]
    on: {consult.accepted: three, consult.*: {target: talking, do: [{say: {text: Thanks all the same., to: human}}]}}
  three:
    entry: [{say: You are all on the line.}]
    after: {20m: ending}
    on: {call.hangup: gone, leg.human.hangup: {target: ending, do: [{say: They have left. Goodbye.}]}}
  gone:
    must_finish: true
    entry: [{say: {text: The caller has hung up. Goodbye., to: human}}, {remove_participant: human}]
    on: {done: ending}
""",
    "a supervisor who takes over": """
legs: {supervisor: {identity: supervisor}}
events: {app.take_over: {}}
senders: {app.take_over: supervisor}
tools: {end_call: {description: The caller is done.}}
initial: talking
states:
  talking:
    entry: [{generate_reply: {instructions: Help.}}]
    tools: [end_call]
    silence: {30s: ending}
    on: {app.take_over: paused, tool.end_call: {target: ending, do: [{say: Goodbye.}]}}
  paused:
    entry: [{say: {text: You are on., to: supervisor}}]
    on: {leg.supervisor.hangup: talking}
    after: {20m: ending}
""",
    "a caller who is asked three times whether they are there": """
initial: talking
states:
  talking: {instructions: Help., silence: {10s: nudge}, after: {10m: ending}}
  nudge:
    entry: [{say: Are you still there?}]
    on: {done: [{target: ending, when: state.visits > 2, do: [{say: Goodbye.}]}, talking]}
""",
    "a leg on hold that is told goodbye": """
env: [TRUNK, NUMBER, MUSIC]
tools: {end_call: {description: The caller is done.}, human: {description: A person.}}
initial: talking
states:
  talking:
    entry: [{generate_reply: {instructions: Help.}}]
    tools: [end_call, human]
    silence: {30s: {target: ending, do: [{say: Goodbye.}]}}
    on:
      tool.human: calling
      tool.end_call: {target: ending, do: [{say: Goodbye.}, {outcome: completed}]}
  calling:
    entry: [{dial: {to: "{{ env.NUMBER }}", trunk: "{{ env.TRUNK }}", leg: partner, ringing_timeout: 25s, play_dialtone: true}}]
    on: {dial.answered: parked, dial.*: {target: talking, do: [{say: They do not answer.}]}}
  parked:
    entry: [{hold: {leg: partner, music: "{{ env.MUSIC }}"}}, {say: They are there. Press one to talk to them.}]
    silence: {20s: apart}
    on: {dtmf.1: together, leg.partner.hangup: talking, failed: apart}
  apart:
    entry: [{say: {text: They do not want to talk now. Goodbye., to: partner}}, {remove_participant: partner}]
    on: {done: talking, failed: talking}
  together: {must_finish: true, entry: [{resume: partner}, stand_by], on: {done: ending}}
""",
    "one of two who leaves as they are joined": """
initial: talking
states:
  talking: {on: {dtmf.0: calling}}
  calling:
    entry: [{dial: {to: "+15551234567", trunk: ST, leg: clerk, ringing_timeout: 25s, play_dialtone: true}}]
    on: {dial.answered: joining, dial.*: {target: talking, do: [{say: Nobody is there.}]}}
  joining: {entry: [{say: A customer is on the line.}], on: {done: both, failed: both}}
  both: {entry: [{outcome: transferred}, stand_by], on: {done: ending}}
""",
    "a number that the program gives, and that the caller keys in": """
vars: {pin: {type: string, pii: true}, tries: {type: integer, default: 0}}
initial: asking
states:
  asking:
    entry: [{collect_digits: {prompt: Please key in your four digits., count: 4, first_digit: 8s, tries: 2}}]
    on:
      dtmf.input:
        - {target: right, when: event.digits == vars.pin}
        - {target: wrong, do: [{set: {tries: "{{ vars.tries + 1 }}"}}]}
      dtmf.*: ending
  wrong: {entry: [{say: That is not right.}], on: {done: [{target: ending, when: vars.tries >= 3}, asking]}}
  right: {entry: [{say: Thank you.}], on: {done: ending}}
""",
    "what has come of a call, and another one of the kind": """
tools: {booked: {description: A day is booked.}, end_call: {description: The caller is done.}}
initial: asking
states:
  asking: {entry: [generate_reply], tools: [booked, end_call], on: {tool.booked: {target: more, do: [{outcome: completed}]}, tool.end_call: ending}}
  more: {entry: [generate_reply], tools: [booked, end_call], on: {tool.booked: asking, tool.end_call: ending}}
""",
    "a verdict that nobody waits for": """
env: [TRUNK]
vars: {number: phone}
tools: {end_call: {description: The callee is done.}}
initial: dialing
states:
  dialing:
    entry: [{dial: {to: "{{ vars.number }}", trunk: "{{ env.TRUNK }}", detect_machine: true}}]
    on: {dial.answered: talking, dial.*: ending}
  talking: {entry: [generate_reply], tools: [end_call], on: {amd.machine-*: ending, tool.end_call: ending}}
""",
    "a colleague's voicemail, while the caller is talked with": """
env: [TRUNK, COLLEAGUE]
tools: {end_call: {description: The caller is done.}, human: {description: A person.}}
initial: talking
states:
  talking:
    entry: [generate_reply]
    tools: [end_call, human]
    silence: {30s: {target: ending, do: [{say: Goodbye.}]}}
    on: {tool.human: asking, tool.end_call: {target: ending, do: [{say: Goodbye.}]}}
  asking:
    entry: [{dial: {to: "{{ env.COLLEAGUE }}", trunk: "{{ env.TRUNK }}", leg: human, play_dialtone: true, detect_machine: true}}]
    on: {dial.answered: three, dial.*: {target: talking, do: [{say: Nobody is there.}]}}
  three:
    entry: [{generate_reply: Say who is on the line.}]
    tools: [end_call]
    after: {20m: ending}
    on: {leg.human.hangup: {target: ending, do: [{say: They have left. Goodbye.}]}, call.hangup: ending, tool.end_call: {target: ending, do: [{say: Goodbye.}]}}
""",
    "a telephone that is called again in a while": """
env: [TRUNK]
vars: {number: phone}
initial: dialing
states:
  dialing:
    entry: [{dial: {to: "{{ vars.number }}", trunk: "{{ env.TRUNK }}"}}]
    on: {dial.answered: greeting, dial.*: [{target: pause, when: state.visits < 3}, ending]}
  pause: {after: {10m: dialing}}
  greeting: {entry: [{say: Hello.}], on: {done: ending}}
""",
    "a machine is asked something": """
env: [TRUNK, NUMBER]
initial: dialing
states:
  dialing:
    entry: [{dial: {to: "{{ env.NUMBER }}", trunk: "{{ env.TRUNK }}", detect_machine: true}}]
    on: {dial.answered: screening, dial.*: ending}
  screening:
    on: {amd.machine-*: message, amd.*: talking}
    after: {20s: talking}
  message: {entry: [{say: This is the library. Would you call us back?}], on: {done: ending}}
  talking: {entry: [{say: Your book is here. Goodbye.}], on: {done: ending}}
""",
    "a question, and eight seconds to answer it": """
initial: asking
states:
  asking: {entry: [{say: Shall I tell you more?}], on: {dtmf.1: more}, after: {8s: ending}}
  more: {entry: [{say: That was it.}], on: {done: ending}}
""",
    "a line that drops after what is said": """
tools: {end_call: {description: The caller is done.}}
initial: talking
states:
  talking: {entry: [generate_reply], tools: [end_call], on: {tool.end_call: {target: ending, do: [{say: Goodbye.}]}}}
  ending: {entry: [delete_room, aclose, shutdown], on: {done: closed}}
""",
    "a result of a verb of which others come": """
initial: menu
states:
  menu:
    entry: [{collect_digits: {prompt: One or two., count: 1}}]
    on: {dtmf.input: ending, dtmf.no_input: ending, dtmf.no_match: ending}
""",
    "a telephone that is called again when they have hung up": """
env: [TRUNK]
vars: {number: phone}
on: {call.hangup: [{target: again, when: vars.tries < 2, do: [{set: {tries: "{{ vars.tries + 1 }}"}}]}, ending]}
initial: dialing
states:
  dialing:
    entry: [{dial: {to: "{{ vars.number }}", trunk: "{{ env.TRUNK }}"}}]
    on: {dial.answered: greeting, dial.*: ending}
  again: {after: {2s: dialing}}
  greeting: {entry: [{say: Hello.}], on: {done: ending}}
""".replace("{number: phone}", "{number: phone, tries: {type: integer, default: 0}}"),
    "rounds that a timer around them ends": """
initial: asking
states:
  asking:
    initial: number
    after: {3m: ending}
    states:
      number: {entry: [{collect_digits: {prompt: Your number?, count: 1}}], on: {dtmf.input: given, dtmf.*: again}}
      again: {entry: [{say: I heard nothing.}], on: {done: number}}
      given: {final: true}
    on: {done: ending}
""",
    "a tool that is kept until its state is done": """
tools: {end_call: {description: The caller is done.}}
initial: outer
states:
  outer:
    tools: [end_call]
    on: {tool.end_call: ending, done: ending}
    initial: busy
    states:
      busy: {must_finish: true, entry: [{say: One moment.}], on: {done: over}}
      over: {final: true}
""",
    "a model that talks until the program says so": """
events: {app.enough: {}}
senders: {app.enough: program}
initial: talking
states:
  talking: {entry: [generate_reply], on: {app.enough: ending}}
""",
    "a caller whose silence is bounded": """
events: {app.enough: {}}
senders: {app.enough: program}
initial: talking
states:
  talking: {entry: [{say: Hello.}], silence: {50s: ending}, on: {app.enough: ending}}
""",
    "two who talk to each other as long as they like": """
tools: {human: {description: A person.}}
initial: talking
states:
  talking: {tools: [human], on: {tool.human: asking}}
  asking:
    entry: [{consult: {to: "+15551234567", trunk: ST, timeout: 25s}}]
    on: {consult.accepted: both, consult.*: {target: ending, do: [{say: Nobody is there.}]}}
  both: {entry: [stand_by], on: {done: later}}
  later: {after: {5m: ending}}
""",
    "a tool by which whoever is consulted decides": """
tools: {take: {description: They take it.}, refuse: {description: They do not.}}
initial: asking
states:
  asking:
    instructions: Ask whether they take the call.
    tools: [take, refuse]
    entry: [{consult: {to: "+15551234567", trunk: ST, timeout: 25s, accept: {tool: take}, decline: {tool: refuse}}}]
    on: {consult.accepted: both, consult.*: {target: ending, do: [{say: Nobody is there.}]}}
  both: {must_finish: true, entry: [stand_by], on: {done: ending}}
""",
    "a word to somebody who has left": """
initial: asking
states:
  asking:
    entry: [{consult: {to: "+15551234567", trunk: ST, timeout: 25s}}]
    on: {consult.accepted: both, consult.*: ending, call.hangup: gone}
  gone: {must_finish: true, entry: [{say: {text: They have hung up. Goodbye., to: human}}], on: {done: ending}}
  both: {must_finish: true, entry: [stand_by], on: {done: ending}}
""",
    "a supervisor who takes over, and has to be there for that": """
legs: {supervisor: {identity: supervisor}}
events: {app.take_over: {}}
senders: {app.take_over: supervisor}
initial: talking
states:
  talking: {entry: [{generate_reply: Greet the caller.}], on: {app.take_over: paused}}
  paused: {entry: [{say: {text: You are on., to: supervisor}}], on: {leg.supervisor.hangup: talking}, after: {30m: ending}}
""",
    "a question, and the line is lost": f"""
{END}silence: {{10s: {{do: [{{say: Are you there?}}]}}, 20s: ending}}
initial: talking
states:
  talking: {{entry: [generate_reply], {OFFERS}}}}}
""",
    "an end that fails as it would have ended well": """
env: [CRM]
tools: {end_call: {description: The caller is done.}}
initial: talking
states:
  talking: {entry: [generate_reply], tools: [end_call], silence: {30s: ending}, on: {tool.end_call: saving}}
  saving: {entry: [{say: Goodbye.}, {http: {url: "{{ env.CRM }}", timeout: 3s}}], on: {done: ending}}
""",
    "an outcome that only some ends name": """
tools: {end_call: {description: The caller is done.}, sold: {description: They have bought.}}
initial: talking
states:
  talking:
    entry: [generate_reply]
    tools: [end_call, sold]
    silence: {30s: {target: ending, do: [{say: Goodbye.}]}}
    on: {tool.end_call: {target: ending, do: [{say: Goodbye.}]}, tool.sold: {target: ending, do: [{outcome: completed}]}}
""",
    "an outcome before the conversation is over": """
tools: {booked: {description: They have booked.}, end_call: {description: The caller is done.}}
initial: talking
states:
  talking: {entry: [generate_reply], tools: [booked], silence: {30s: ending}, on: {tool.booked: {target: more, do: [{say: You are booked.}, {outcome: completed}]}}}
  more: {entry: [{say: Is there anything else?}], tools: [end_call], silence: {15s: ending}, on: {tool.end_call: {target: ending, do: [{say: Goodbye.}]}}}
""",
    "a message of the model's to a voicemail": """
env: [TRUNK]
vars: {number: phone}
initial: dialing
states:
  dialing:
    entry: [{dial: {to: "{{ vars.number }}", trunk: "{{ env.TRUNK }}", detect_machine: true}}]
    on: {dial.answered: screening, dial.*: ending}
  screening: {on: {amd.machine-vm: message, amd.machine-*: ending, amd.*: message}}
  message: {entry: [{generate_reply: {instructions: Say that we have called.}}], on: {done: ending}}
""",
    "a menu of another's that is waited for": """
tools: {press: {description: Press keys., parameters: {keys: string}}}
initial: talking
states:
  talking:
    instructions: Work through the menu.
    tools: [press]
    on: {tool.press: {do: [{send_dtmf: "{{ event.keys }}"}]}}
    waits: the menu at the other end decides
""",
    "a state that waits on purpose": """
initial: talking
states:
  talking: {waits: for the other side to hang up, entry: [generate_reply]}
""",
    "a caller who is back from hold, and is asked soon": f"""
{END}initial: greeting
states:
  greeting: {{entry: [{{say: How can I help?}}], on: {{done: talking, dtmf.9: held}}}}
  talking: {{instructions: Help., silence: {{8s: {{do: [{{say: Are you there?}}]}}, 40s: ending}}, {OFFERS}}}}}
  held: {{entry: [{{hold: {{music: "builtin:hold_music"}}}}], exit: [resume], after: {{20s: talking}}}}
""",
    "keys that change nothing in a conversation": f"""
{END}initial: greeting
states:
  greeting: {{entry: [{{say: How can I help?}}], on: {{done: talking}}}}
  talking: {{instructions: Help., silence: {{40s: ending}}, {OFFERS}, dtmf.*: {{do: [{{log: A key.}}]}}}}}}
""",
    "a model that is told what was asked, and asks nothing": """
initial: telling
states:
  telling: {entry: [{generate_reply: {instructions: "Say that we asked them to pay, and that a colleague will ask for the number."}}], on: {done: ending}}
""",
    "a key that is heard at any time": """
initial: welcome
on: {dtmf.0: person}
states:
  welcome: {entry: [{say: Welcome. Press 0 at any time for a person.}], on: {done: hours}}
  hours: {entry: [{say: We are open from nine to five.}], after: {9s: ending}}
  person: {entry: [{say: Nobody is there. Goodbye.}], on: {done: ending}}
""",
    "a key of a colleague's": """
tools: {human: {description: A person.}}
initial: talking
states:
  talking: {entry: [generate_reply], tools: [human], silence: {20s: ending}, on: {tool.human: calling}}
  calling:
    entry: [{dial: {to: "+15551234567", trunk: ST, leg: human, ringing_timeout: 20s, play_dialtone: true}}]
    on: {dial.answered: asked, dial.*: {target: talking, do: [{say: Nobody is there.}]}}
  asked:
    entry: [{say: {text: A call for you. Press 1 to take it., to: human}}]
    after: {9s: back}
    on: {leg.human.dtmf.1: both, leg.human.hangup: back}
  back: {entry: [{remove_participant: human}, {say: They cannot come.}], on: {done: talking}}
  both: {must_finish: true, entry: [stand_by], on: {done: ending}}
""",
    "keys for another call": """
initial: telling
states:
  telling: {entry: [{say: "Call us back on Monday, and press 1. Goodbye."}], on: {done: ending}}
""",
    "the rest of a number, whose first key says how long it is": """
initial: first
states:
  first: {entry: [{collect_digits: {prompt: "Your number?", count: 1}}], on: {dtmf.input: rest, dtmf.*: ending}}
  rest: {entry: [{collect_digits: {count: 3}}], on: {dtmf.*: ending}}
""",
    "keys that are asked for by a recorded voice": """
initial: asking
states:
  asking: {entry: [{play: "builtin:crowded_room"}, {collect_digits: {count: 4, first_digit: 15s}}], on: {dtmf.*: ending}}
""",
    "a key that is pressed while it is named": """
initial: menu
states:
  menu: {entry: [{say: Press 1 for the desk.}], on: {dtmf.1: moving}, after: {9s: ending}}
  moving:
    entry: [{transfer: {to: "tel:+15551234567", play_dialtone: true}}]
    on: {transfer.completed: ending, transfer.failed: [{target: choosing, when: state.visits < 3, do: [{say: Nobody is there. Press 1 to try again.}]}, ending]}
  choosing: {on: {dtmf.1: moving}, after: {9s: ending}}
""",
    "keys that are gathered one by one, 0 among them": """
initial: service
states:
  service:
    initial: typing
    on: {dtmf.0: person}
    states:
      typing: {entry: [{say: Type your number.}], on: {dtmf.*: {do: [{log: "The key {{ event.name }}."}]}}, after: {20s: typed}}
      typed: {entry: [{say: Thank you. Goodbye.}], on: {done: ending}}
  person: {entry: [{say: Nobody is there. Goodbye.}], on: {done: ending}}
""",
    "a key that means something else further in": """
initial: service
states:
  service:
    initial: menu
    on: {dtmf.0: person}
    states:
      menu: {entry: [{say: Press 0 to hear our hours.}], on: {dtmf.0: hours}, after: {9s: hours}}
      hours: {entry: [{say: We are open from nine to five. Goodbye.}], on: {done: ending}}
  person: {entry: [{say: Nobody is there. Goodbye.}], on: {done: ending}}
""",
    "a menu that is told on the way into the state with its rows": """
initial: welcome
states:
  welcome: {entry: [{say: Welcome.}], on: {done: {target: choosing, do: [{say: Press 1 for cards.}]}}}
  choosing: {on: {dtmf.1: cards}, after: {9s: ending}}
  cards: {entry: [{say: Your card is blocked. Goodbye.}], on: {done: ending}}
""",
    "a key for a person, in a conversation behind a menu": """
tools: {end_call: {description: The caller is done.}}
initial: menu
on: {dtmf.0: person}
states:
  menu: {entry: [{collect_digits: {prompt: Your number?, count: 4}}], on: {dtmf.input: talking, dtmf.no_input: ending, dtmf.no_match: ending}}
  talking: {entry: [generate_reply], tools: [end_call], silence: {20s: ending}, on: {tool.end_call: {target: ending, do: [{say: Goodbye.}]}}}
  person: {entry: [{say: Nobody is there. Goodbye.}], on: {done: ending}}
""",
    "a timer for what should not be needed": """
env: [TRUNK]
vars: {number: phone}
initial: dialing
states:
  dialing:
    entry: [{dial: {to: "{{ vars.number }}", trunk: "{{ env.TRUNK }}", detect_machine: {timeout: 15s}}}]
    on: {dial.answered: screening, dial.*: ending}
    after: {20s: ending}
  screening: {on: {amd.machine-*: ending, amd.*: greeting}, after: {20s: greeting}}
  greeting: {entry: [{say: Hello.}], on: {done: ending}}
""",
    "a question further out, before that of the state": """
tools: {end_call: {description: The caller is done.}}
initial: conversation
states:
  conversation:
    initial: asking
    tools: [end_call]
    silence: {10s: {do: [{say: Are you there?}]}, 40s: ending}
    on: {tool.end_call: {target: ending, do: [{say: Goodbye.}]}}
    states: {asking: {entry: [generate_reply], silence: {20s: {do: [{say: Which day?}]}}}}
""",
    "a hurry that only some calls have": """
vars: {hurry: boolean}
initial: moving
states:
  moving:
    entry: [{say: One moment.}, {transfer: {to: "tel:+15551234567", play_dialtone: true}}]
    after: {15s: {target: sorry, when: vars.hurry}}
    on: {transfer.completed: ending, transfer.failed: sorry}
  sorry: {entry: [{say: Nobody is there. Goodbye.}], on: {done: ending}}
""",
    "a question on the way back, whose row is left as words for a colleague fail": """
tools: {end_call: {description: The caller is done.}, human: {description: A person.}, booked: {description: Done., parameters: {day: string}}}
env: [MUSIC, TRUNK, DESK]
initial: service
on: {dtmf.0: handing}
states:
  service:
    initial: greeting
    tools: [human, end_call]
    silence: {12s: {do: [{say: Are you still there?}]}, 40s: {target: ending, do: [{say: Goodbye.}, {outcome: timed_out}]}}
    on: {tool.end_call: {target: ending, do: [{say: Goodbye.}, {outcome: completed}]}, tool.human: handing}
    states:
      greeting: {entry: [{say: "Welcome to the garage. Press 0 at any time for a person."}, {generate_reply: {instructions: Ask how you can help.}}], on: {done: talking}}
      talking: {instructions: Find out what is wrong with the car., tools: [booked], on: {tool.booked: confirming}}
      confirming: {entry: [{generate_reply: {instructions: "Read the day back, and ask whether that is all."}}], instructions: Help with anything else.}
  handing:
    entry: [{say: One moment please.}, {consult: {to: "{{ env.DESK }}", trunk: "{{ env.TRUNK }}", briefing: A customer is waiting., accept: {key: "1"}, music: "{{ env.MUSIC }}", ringing_timeout: 20s, timeout: 45s}}]
    after: {60s: {target: service.talking, do: [{say: Nobody can come just now.}]}}
    on:
      consult.accepted: together
      consult.*: {target: service.talking, do: [{say: {text: Thanks all the same., to: human}}, {say: Nobody can come just now. What else can I do?}]}
  together: {must_finish: true, entry: [{outcome: transferred}, stand_by], on: {done: ending}}
""",
    "a queue with a key that is named again and again": """
events: {app.free: {}}
senders: {app.free: program}
env: [MUSIC, DESK]
initial: welcome
states:
  welcome: {entry: [{say: "All lines are busy. Press 1 at any time to be called back."}], on: {done: queue, dtmf.1: back}}
  queue:
    entry: [{play: {file: "{{ env.MUSIC }}", loop: true}}]
    every: {30s: {do: [{say: "You are still in the queue. Press 1 to be called back."}]}}
    after: {5m: {target: ending, do: [{say: Nobody is free. Goodbye.}, {outcome: timed_out}]}}
    on: {dtmf.1: back, app.free: through}
  back: {entry: [{say: We call you back. Goodbye.}, {outcome: completed}], on: {done: ending}}
  through: {entry: [{say: You are next.}, {transfer: {to: "tel:{{ env.DESK }}", play_dialtone: true}}], on: {transfer.completed: {target: ending, do: [{outcome: transferred}]}, transfer.failed: {target: ending, do: [{say: Nobody is there. Goodbye.}, {outcome: failed}]}}}
""",
    "an appointment that is confirmed by a key, and a voicemail that is told one": """
env: [TRUNK]
vars: {number: phone}
initial: dialing
states:
  dialing: {entry: [{dial: {to: "{{ vars.number }}", trunk: "{{ env.TRUNK }}", ringing_timeout: 25s, detect_machine: true}}], on: {dial.answered: who, dial.*: {target: ending, do: [{outcome: "{{ event.result }}"}]}}}
  who: {on: {amd.machine-vm: message, amd.machine-*: {target: ending, do: [{outcome: machine}]}, amd.*: asking}, after: {20s: asking}}
  message: {entry: [{say: "This is the dentist. Please call us back, and press 2 to cancel."}, {outcome: voicemail}], on: {done: ending}}
  asking:
    entry: [{collect_digits: {prompt: "This is the dentist. You have an appointment tomorrow. Press 1 to confirm, 2 to cancel.", retry_prompt: Press 1 or 2., count: 1, tries: 3, first_digit: 8s}}]
    on:
      dtmf.input: [{target: thanks, when: event.digits == "1"}, {target: cancelled, when: event.digits == "2"}, {target: thanks, when: state.visits > 3}, asking]
      dtmf.no_input: {target: ending, do: [{say: We will call again. Goodbye.}, {outcome: none}]}
      dtmf.no_match: {target: ending, do: [{say: We will call again. Goodbye.}, {outcome: none}]}
  thanks: {entry: [{say: Thank you. Goodbye.}, {outcome: completed}], on: {done: ending}}
  cancelled: {entry: [{say: "It is cancelled. Goodbye."}, {outcome: declined}], on: {done: ending}}
""",
}
