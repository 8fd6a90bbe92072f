"""Row 57: `ctx.add_shutdown_callback(functools.partial(…))` raises AttributeError: it reads `__code__`.

A flow's `on_end` takes any callable: functions, methods, partials, objects, coroutine functions or not.
"""

from __future__ import annotations

import functools

from callflow.testing import Tool
from callflow.testing.play import talks
from tests.guarantees.conftest import GREETING
from tests.support import raw


async def test_by_itself_it_raises():
    assert isinstance(await raw.a_partial_as_shutdown_callback(), AttributeError)


class Hook:
    def __init__(self, seen):
        self.seen = seen

    def __call__(self, record):
        self.seen.append(("object", record.outcome))

    async def method(self, record):
        self.seen.append(("method", record.outcome))


async def test_a_flow_takes_any_callable(stage, ended):
    seen = []

    async def with_record(name, record):
        seen.append((name, record.outcome))

    def without(name):
        seen.append((name, None))

    def broken(record):
        raise ValueError("broken hook")

    hook = Hook(seen)
    hooks = [
        functools.partial(with_record, "partial"),
        functools.partial(without, "sync partial"),
        broken,
        hook,
        hook.method,
        lambda record: seen.append(("lambda", record.outcome)),
    ]
    call = stage(model=[GREETING, Tool("end_call")], caller=talks("bye"), options={"on_end": hooks})
    await call.play()
    assert seen == [
        ("partial", "completed"),
        ("sync partial", None),
        ("object", "completed"),
        ("method", "completed"),
        ("lambda", "completed"),
    ]
    ended(call)
