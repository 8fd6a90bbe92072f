from __future__ import annotations

import json
import re

from callflow.diagram import Marks, graph_of, to_mermaid
from callflow.diagram.mermaid import escape
from tests.diagram.flows import flow, nested, shipped


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines()]


def test_a_whole_flow():
    assert (
        to_mermaid(graph_of(shipped("smallest")))
        == """\
stateDiagram-v2
  direction TB
  [*] --> s1
  state "talking" as s1
  s1 : entry generate_reply “Greet the caller and help.”
  s1 : tools end_call
  state "ending #40;must finish#41;" as s2
  s2 : entry drain
  s2 : entry delete_room
  s2 : entry aclose
  s2 : entry shutdown #123;call.outcome#125;
  state "closed" as s3
  state "completed" as s4
  s1 --> s4 : tool.end_call / say “Goodbye.”
  s2 --> s3 : done
  s4 --> s2
  s3 --> [*]
  note right of s1
    in every state
    call.hangup → ending · hung_up
    session.close → ending · failed
    job.shutdown → ending · cancelled
    room.disconnected → ending · line_lost
    after 1h → ending · timed_out
    silence 2m → ending · timed_out
  end note
  classDef spine stroke:#1f5fa8,stroke-width:2px
  classDef quiet fill:#fafbfc,stroke:#c5ced8,color:#5f6b7a
  classDef outcome fill:#eef1f5,stroke:#5f6b7a,color:#5f6b7a
  classDef visited fill:#fff3dc,stroke:#b45309,stroke-width:2px
  class s1 spine
  class s2 spine
  class s3 spine
  class s4 spine
"""
    )


def test_nested_states_and_regions():
    text = to_mermaid(graph_of(nested()))
    assert text.count(" {\n") == text.count("}\n") == 5
    both = lines(text[text.index('state "both') :])
    talk, between, record = (
        next(index for index, line in enumerate(both) if line.startswith(start))
        for start in ('state "talk"', "--", 'state "record"')
    )
    assert talk < between < record


def test_mermaids_own_words_and_signs_are_only_text():
    evil = json.dumps('end note; } ] --> s1 : %% "x" `y` #35; <script>alert(1)</script> \\')
    text = to_mermaid(
        graph_of(
            flow(
                f"note: {{entry: [{{say: {evil}}}], on: {{done: state}}}}\nstate: {{description: {evil}, on: {{done: end}}}}\nend: {{on: {{done: ending}}}}",
                f"description: {evil}",
                initial="note",
            )
        )
    )
    own = re.compile(
        r"stateDiagram-v2|direction TB|accDescr: [^;{}<>\"`%]*(#\d+;[^;{}<>\"`%]*)*|\[\*\] --> s\d+|s\d+ --> (s\d+|\[\*\])( : .*)?"
        r'|state "[^"]*" as s\d+|s\d+ : .*|note right of s\d+|in every state|end note|classDef .*|class s\d+ \w+|[\w. ]+ → .*'
    )
    for line in lines(text):
        assert own.fullmatch(line), line
        texts = re.sub(r"#\d+;", "", line.removeprefix("[*]").removesuffix("[*]"))
        if not line.startswith(("classDef", "state ")):
            assert not set(texts.replace("-->", "").replace(" : ", " ", 1).replace("accDescr:", "")) & set(
                ';{}<"`%#\\'
            ), line
    assert 'state "end" as s3' in lines(text)


def test_escaping():
    assert escape('a;b#c"d"') == "a#59;b#35;c#34;d#34;"
    assert escape("tool.end_call, say “Größe” 预约") == "tool.end_call, say “Größe” 预约"


def test_where_a_call_has_been():
    text = to_mermaid(graph_of(shipped("smallest"), Marks(frozenset({"talking"}))))
    assert "class s1 visited" in lines(text)
