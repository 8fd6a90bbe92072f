"""http, python, tag, send_data."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from types import SimpleNamespace

import aiohttp
import pytest
from aiohttp import web

import callflow
from callflow.core.snapshot import Start
from callflow.errors import EffectError
from callflow.livekit_bindings.verbs import outside


def flow(entry, head="", rest=""):
    return f"""
callflow: 1
name: outside
{head}
initial: working
states:
  working:
    entry: [{entry}]
    on:
      done: {{target: ending, do: [{{outcome: completed}}]}}
{rest}
"""


class World:
    """As much of a world as `http` needs."""

    def __init__(self, client):
        self.client = client

    def http(self):
        return self

    async def __aenter__(self):
        return self.client

    async def __aexit__(self, *_):
        return None


@pytest.fixture
async def service():
    """A small HTTP service on 127.0.0.1; yields a function that requests something of it."""
    asked = []

    async def answer(request):
        asked.append((request.method, request.headers.get("x-key"), await request.text()))
        kind = request.match_info["kind"]
        if kind == "json":
            return web.json_response({"order": 7}, status=201)
        if kind == "broken":
            return web.Response(text="{", content_type="application/json")
        if kind == "large":
            return web.Response(body=b"x" * (outside.LARGEST_BODY + 1))
        if kind == "gone":
            return web.Response(status=404, text="no")
        return web.Response(text="grüß", content_type="text/plain", charset="latin-1")

    app = web.Application()
    app.router.add_route("*", "/{kind}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    async with aiohttp.ClientSession() as client:

        async def ask(kind, **arguments):
            url = arguments.pop("url", f"http://127.0.0.1:{port}/{kind}?pin=1234")
            return await outside.http(World(client), Start(1, "http", {"url": url, **arguments}, 10.0))

        ask.asked = asked
        yield ask
    await runner.cleanup()


@pytest.mark.real_time
async def test_an_answers_status_and_body(service):
    assert await service("json", method="POST", json={"number": 7}, headers={"x-key": "k"}) == {
        "status": 201,
        "body": {"order": 7},
    }
    assert service.asked == [("POST", "k", '{"number": 7}')]
    assert await service("text") == {"status": 200, "body": "grüß"}
    assert await service("gone", expect=[200, 404]) == {"status": 404, "body": "no"}


@pytest.mark.real_time
@pytest.mark.parametrize(
    ("kind", "arguments", "said"),
    [
        ("gone", {}, "GET 127.0.0.1:{port} answered 404"),
        ("json", {"expect": [200]}, "answered 201"),
        ("broken", {}, "calls itself JSON and is none"),
        ("large", {}, "larger than 1000000 bytes"),
        ("", {"url": "ftp://x/y"}, "begins with http:// or https://"),
        ("", {"url": "http://user:secret@127.0.0.1:9/pin/1234"}, "no answer from GET 127.0.0.1:9"),
    ],
)
async def test_other_answers_are_failures_that_name_the_host_and_nothing_private(service, kind, arguments, said):
    with pytest.raises(EffectError) as error:
        await service(kind, **arguments)
    assert said.partition("{port}")[0] in str(error.value)
    assert "1234" not in str(error.value)
    assert "secret" not in str(error.value)


PYTHON = """
python:
  look_up: {parameters: {number: {type: integer}}, returns: {owner: string}}
vars: {owner: {type: string, default: ""}}
"""
CALL = "{python: {name: look_up, arguments: {number: 7}, as: found}}, {set: {owner: '{{ vars.found.owner }}'}}"


async def coroutine(number):
    await asyncio.sleep(1)
    return {"owner": f"Ann {number}"}


def blocking(number):
    assert threading.current_thread() is not threading.main_thread()
    time.sleep(0.01)
    return {"owner": f"Ann {number}"}


class Callable:
    async def __call__(self, number):
        return f"Ann {number}"


@pytest.mark.parametrize("action", [coroutine, Callable()])
async def test_python_actions_run_as_they_are(stage, action):
    record = await stage.play(flow(CALL, PYTHON), actions={"look_up": action})
    assert (record.outcome, record.vars["owner"]) == ("completed", "Ann 7")


@pytest.mark.real_time
async def test_a_python_action_that_blocks_runs_in_a_thread():
    world = SimpleNamespace(actions={"look_up": blocking}, flow=callflow.loads(flow(CALL, PYTHON)))
    effect = Start(1, "python", {"name": "look_up", "arguments": {"number": 7}}, 10.0)
    assert await outside.python(world, effect) == {"owner": "Ann 7"}


@pytest.mark.parametrize(
    ("action", "said"),
    [
        (lambda number: coroutine_of({}), "look_up returned no owner"),
        (lambda number: coroutine_of(None), "Ann"),
        (lambda number: coroutine_of(ZeroDivisionError("boom")), "ZeroDivisionError: boom"),
    ],
)
async def test_a_python_action_that_returns_something_else_is_a_failure(stage, action, said):
    async def act(number):
        return await action(number)

    record = await stage.play(flow(CALL, PYTHON), actions={"look_up": act})
    if said == "Ann":  # one declared field takes the value itself, whatever it is
        assert record.effects[0].result == {"owner": None}
    else:
        assert record.outcome == "failed"
        assert said in record.fault


def exits():
    raise SystemExit(2)


async def exits_too():
    sys.exit("usage: look-up NUMBER")


@pytest.mark.parametrize(("action", "status"), [(exits, "2"), (exits_too, "usage: look-up NUMBER")])
async def test_a_python_action_that_wants_to_end_the_process_fails(stage, action, status):
    """As `argparse` does, in a library that was made for the command line."""
    record = await stage.play(
        flow("{python: {name: look_up, optional: true}}, {say: Hello.}", "python: {look_up: {}}"),
        actions={"look_up": action},
    )
    assert record.effects[0].error == f"look_up wanted to end the process (status {status})"
    assert stage.heard.startswith("Hello.")


async def coroutine_of(result):
    if isinstance(result, Exception):
        raise result
    return result


async def test_tags_go_to_livekits_tagger(stage):
    await stage.play(flow("{tag: [vip, 'language:en']}"))
    assert stage.job.ctx.tagger.tags >= {"vip", "language:en"}


async def test_data_goes_to_the_room_as_text_or_json(stage):
    await stage.play(flow("{send_data: {data: '{{ [1, 2] }}', topic: numbers}}, {send_data: hello}"))
    assert [(topic, data) for _, topic, data in stage.caller.data] == [("numbers", b"[1, 2]"), ("", b"hello")]
