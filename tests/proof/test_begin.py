"""What is made up where a call has to begin and nobody says how."""

import pytest

from callflow.proof.begin import environment
from tests.support.play import flow_of


@pytest.mark.parametrize(
    ("used", "value"),
    [
        ('{http: {url: "{{ env.IT }}/orders", optional: true}}', "https://example.com"),
        ('{http: {url: "https://{{ env.IT }}/orders", optional: true}}', "example.com"),
        ('{http: {url: "https://shop.example.com/{{ env.IT }}", optional: true}}', "it"),
        ('{play: {file: "{{ env.IT }}"}}', "it.mp3"),
        ('{say: "Welcome to {{ env.IT }}."}', "it"),
        ('{set: {desk: "{{ env.IT }}"}}, {transfer: {to: "{{ vars.desk }}"}}', "+15550100100"),
        ('{transfer: {to: "+{{ env.IT }}"}}', "15550100100"),
        ('{dial: {to: "+15550100100", trunk: "{{ env.IT }}", leg: human}}', "ST_made_up"),
    ],
)
def test_a_value_is_what_it_is_used_for(used, value):
    rows = ", transfer.*: ending, dial.*: ending" if "transfer" in used or "dial" in used else ""
    flow = flow_of(f"""
initial: talking
env: [IT]
vars: {{desk: {{type: string, default: ""}}}}
states:
  talking: {{entry: [{used}], on: {{done: ending{rows}}}}}
""")
    assert environment(flow) == {"IT": value}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SHOP_URL", "https://example.com"),
        ("CRM_HOST", "example.com"),
        ("SIP_OUTBOUND_TRUNK_ID", "ST_made_up"),
        ("FRONT_DESK_NUMBER", "+15550100100"),
        ("API_KEY", "made-up-secret"),
        ("WAIT_SECONDS", "10"),
        ("PRACTICE_NAME", "practice name"),
    ],
)
def test_what_is_only_read_is_told_by_its_name(name, value):
    flow = flow_of(f"""
initial: talking
env: [{name}]
states:
  talking: {{entry: [{{log: "{{{{ env.{name} }}}}"}}], on: {{done: ending}}}}
""")
    assert environment(flow) == {name: value}
