"""Fakes: a service by its answers, a verb by its result; and what nobody answers fails the test."""

from __future__ import annotations

import pytest

import callflow
from callflow.errors import EffectError
from callflow.testing import Asked, SimulatedServer
from callflow.testing.play import Stage, silent

ORDERS = """
callflow: 1
name: orders
initial: asking
states:
  asking:
    entry:
      - http: {url: https://shop.example.com/orders/12, headers: {key: k}, as: order}
      - http: {url: https://shop.example.com/seen, method: POST, json: {id: 12}, expect: [202]}
      - say: "It is {{ vars.order.body.state }}."
    on: {done: {target: ending, do: [{outcome: completed}]}, failed: {target: ending, do: [{outcome: failed}]}}
"""
TRANSFERS = """
callflow: 1
name: transfers
initial: talking
states:
  talking:
    entry: [{transfer: "+15550100100"}]
    on:
      transfer.completed: {target: ending, do: [{outcome: transferred}]}
      transfer.failed: {target: ending, do: [{outcome: completed}]}
"""
SHOP = "https://shop.example.com"


async def play(text: str, **options):
    async with SimulatedServer() as server:
        stage = Stage(callflow.loads(text), server, caller=silent, **options)
        await stage.play()
        return stage


async def test_a_service_answers_by_address_and_method():
    stage = await play(ORDERS, http={f"{SHOP}/orders/*": {"state": "sent"}, f"POST {SHOP}/seen": 202})
    assert (stage.record.outcome, stage.heard) == ("completed", "It is sent.")
    assert [(one.method, one.url, one.json) for one in stage.faked.requests] == [
        ("GET", f"{SHOP}/orders/12", None),
        ("POST", f"{SHOP}/seen", {"id": 12}),
    ]
    assert stage.faked.requests[0].headers["key"] == "k"


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (503, "failed"),
        ((404, {"state": "none"}), "failed"),
        (TimeoutError("too late"), "failed"),
        (lambda asked: {"state": asked.method}, "completed"),
    ],
)
async def test_what_a_service_may_say(answer, outcome):
    stage = await play(ORDERS, http={f"{SHOP}/orders/*": answer, f"{SHOP}/seen": 202})
    assert stage.record.outcome == outcome


async def test_one_answer_after_the_other():
    text = ORDERS.replace("as: order}", "as: order, retry: {times: 2, backoff: 1s}}")
    stage = await play(text, http={f"{SHOP}/orders/*": (500, 500, {"state": "sent"}), f"{SHOP}/seen": 202})
    assert (stage.record.outcome, len(stage.faked.requests)) == ("completed", 4)


async def test_a_service_that_is_a_function_which_waits():
    async def service(asked: Asked) -> object:
        return {"state": "on its way"} if asked.method == "GET" else 202

    assert (await play(ORDERS, http=service)).heard == "It is on its way."


async def test_a_request_that_nobody_answers_fails_the_test():
    with pytest.raises(LookupError, match=r"nothing answers GET https://shop\.example\.com/orders/12"):
        await play(ORDERS, http={f"{SHOP}/other": 200})


async def test_a_fake_that_is_wrong_fails_the_test():
    with pytest.raises(ZeroDivisionError):
        await play(ORDERS, http=lambda asked: 1 // 0)


@pytest.mark.parametrize(
    ("fake", "outcome"),
    [
        ("completed", "transferred"),
        ("failed", "completed"),
        ({"result": "failed", "cause": "busy"}, "completed"),
        (EffectError("no"), "completed"),
        (lambda arguments: "completed" if arguments["to"] == "+15550100100" else "failed", "transferred"),
    ],
)
async def test_any_verb_by_its_result(fake, outcome):
    stage = await play(TRANSFERS, fakes={"transfer": fake})
    assert stage.record.outcome == outcome
    [(verb, arguments)] = stage.faked.performed
    assert (verb, arguments["to"]) == ("transfer", "+15550100100")


async def test_a_result_that_the_verb_has_not_fails_the_test():
    with pytest.raises(ValueError, match="transfer ends with one of completed, failed, not 'busy'"):
        await play(TRANSFERS, fakes={"transfer": "busy"})


@pytest.mark.parametrize(
    ("verb", "says"), [("transfr", 'did you mean "transfer"'), ("set", "carried out by the step itself")]
)
async def test_verbs_that_cannot_be_faked(verb, says):
    with pytest.raises(ValueError, match=says):
        await play(TRANSFERS, fakes={verb: {}})


async def test_every_other_verb_can_be():
    from callflow.core.actions import VERBS
    from callflow.testing.fakes import Fakes

    takes_time = {name for name, verb in VERBS.items() if not verb.at_once and name != "shutdown"}
    assert set(Fakes(verbs={name: {} for name in takes_time}).performing()) == takes_time


@pytest.mark.parametrize(
    ("fakes", "says"),
    [
        (
            {"transfer": "complete"},
            "transfer ends with one of completed, failed, not 'complete' .did you mean \"completed\"",
        ),
        ({"transfer": ("failed", "done")}, "transfer ends with one of completed, failed, not 'done'"),
        ({"delete_room": "ok"}, "delete_room has no result by a name, not 'ok'"),
    ],
)
async def test_a_result_that_a_verb_does_not_have_is_refused_before_anything_is_played(fakes, says):
    async with SimulatedServer() as server:
        with pytest.raises(ValueError, match=says):
            Stage(callflow.loads(TRANSFERS), server, caller=silent, fakes=fakes)
