"""The first step of an effect is taken at once, and is a task's like every other."""

from __future__ import annotations

import asyncio
import contextvars

import pytest

from callflow.runtime.eager_task import eager_task

WHERE: contextvars.ContextVar[str] = contextvars.ContextVar("where", default="outside")


async def begun(make):
    """The task of `make()`, begun in a callback of the loop."""
    loop = asyncio.get_running_loop()
    ready = loop.create_future()

    def begin():
        try:
            ready.set_result(eager_task(loop, make(), "one"))
        except BaseException as error:  # noqa: BLE001 - handed on
            ready.set_exception(error)

    loop.call_soon(begin)
    task, _ = await ready
    return task


async def test_what_waits_for_nothing_is_over_at_once():
    async def at_once():
        return 7

    loop = asyncio.get_running_loop()
    found = loop.create_future()

    def begin():
        found.set_result(eager_task(loop, at_once(), "one"))

    loop.call_soon(begin)
    assert await found == (None, 7)


async def test_what_its_first_step_raises_is_raised():
    async def fails():
        raise KeyError("no")

    async def stops():
        raise asyncio.CancelledError

    with pytest.raises(KeyError):
        await begun(fails)
    with pytest.raises(asyncio.CancelledError):
        await begun(stops)
    assert not asyncio.current_task().cancelling()


@pytest.mark.parametrize("turns", [1, 3])
async def test_an_error_and_a_cancellation_are_its_end_whenever_they_come(turns):
    async def fails():
        for _ in range(turns):
            await asyncio.sleep(0)
        raise KeyError("no")

    async def stops():
        for _ in range(turns):
            await asyncio.sleep(0)
        raise asyncio.CancelledError

    task = await begun(fails)
    await asyncio.wait([task])
    assert isinstance(task.exception(), KeyError)
    task = await begun(stops)
    await asyncio.wait([task])
    assert task.cancelled()


async def test_all_its_steps_are_one_task_and_one_context():
    seen, contexts = [], []

    async def work():
        seen.append(asyncio.current_task())
        WHERE.set("inside")
        async with asyncio.timeout(1):  # needs to be in a task, and to end in the same
            await asyncio.sleep(0)
            seen.append(asyncio.current_task())
            await asyncio.sleep(0.1)
        seen.append(asyncio.current_task())
        contexts.append(WHERE.get())
        return "done"

    task = await begun(work)
    assert WHERE.get() == "outside"
    assert await task == "done"
    assert seen == [task] * 3
    assert contexts == ["inside"]
    assert task.get_name() == "one"


async def test_a_time_limit_that_its_first_step_sets_ends_it():
    async def work():
        try:
            async with asyncio.timeout(2):
                await asyncio.Event().wait()
        except TimeoutError:
            return asyncio.get_running_loop().time()

    began = asyncio.get_running_loop().time()
    task = await begun(work)
    assert await task == began + 2


async def test_cancelled_before_its_second_step_it_cancels_what_it_waits_for():
    log = []

    async def inner():
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            log.append("inner")
            raise

    async def outer(one):
        try:
            await one
        except asyncio.CancelledError:
            log.append("outer")
            raise

    loop = asyncio.get_running_loop()
    one = asyncio.create_task(inner())
    await asyncio.sleep(0)
    over = loop.create_future()

    def begin():
        task, _ = eager_task(loop, outer(one), "outer")
        task.cancel()
        task.add_done_callback(lambda task: over.set_result(task.cancelled()))

    loop.call_soon(begin)
    assert await over
    assert one.cancelled()
    assert log == ["inner", "outer"]


async def test_one_that_takes_no_notice_of_its_cancellation_goes_on():
    async def stubborn(let_go):
        for _ in range(2):
            try:
                await let_go.wait()
            except asyncio.CancelledError:
                continue
        return "late"

    let_go = asyncio.Event()
    task = await begun(lambda: stubborn(let_go))
    task.cancel()
    await asyncio.sleep(0.1)
    assert not task.done()
    let_go.set()
    assert await task == "late"


async def test_what_it_waits_for_may_be_there_by_its_next_turn():
    loop = asyncio.get_running_loop()
    future, task = loop.create_future(), loop.create_future()

    async def waits():
        return await future

    def begin():
        task.set_result(eager_task(loop, waits(), "one"))
        future.set_result("there")

    loop.call_soon(begin)
    one, _ = await task
    assert await one == "there"


async def test_what_ends_the_process_is_nobodys_result():
    async def leaves():
        raise SystemExit(3)

    loop = asyncio.get_running_loop()
    caught = loop.create_future()

    def begin():
        try:
            eager_task(loop, leaves(), "one")
        except SystemExit as error:
            caught.set_result(error.code)

    loop.call_soon(begin)
    assert await caught == 3
    assert asyncio.current_task() is not None
