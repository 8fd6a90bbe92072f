"""Requests that are made again: how often, after which pauses, and what is told at last."""

from __future__ import annotations

import asyncio
from itertools import islice

import pytest
from livekit import api

from callflow.livekit_bindings.retries import backoff, between, reason_of, retried


class Request:
    """Comes to each of these in turn: an error, a value, or seconds that it takes."""

    def __init__(self, *outcomes):
        self.outcomes = list(outcomes)
        self.at = []

    async def __call__(self):
        self.at.append(asyncio.get_running_loop().time())
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, BaseException):
            raise outcome
        if isinstance(outcome, float):
            await asyncio.sleep(outcome)
        return outcome


def test_a_pause_is_twice_the_one_before_up_to_the_longest():
    assert list(islice(backoff(0.5), 5)) == [0.5, 1.0, 2.0, 4.0, 8.0]
    assert list(islice(backoff(0.5, 3.0), 5)) == [0.5, 1.0, 2.0, 3.0, 3.0]
    assert list(between(4, backoff(1.0))) == [1.0, 2.0, 4.0]
    assert list(between(1, backoff(1.0))) == []


async def test_a_request_that_fails_is_made_again_after_each_pause():
    request = Request(OSError("away"), OSError("away"), "done")
    assert await retried(request, [0.5, 1.0, 9.0]) == "done"
    assert request.at == [0.0, 0.5, 1.5]


async def test_what_the_last_try_raises_is_raised():
    request = Request(OSError("first"), OSError("second"), OSError("last"))
    with pytest.raises(OSError, match="last"):
        await retried(request, [0.5, 1.0])
    assert request.at == [0.0, 0.5, 1.5]


async def test_a_try_that_takes_too_long_is_given_up_and_made_again():
    request = Request(60.0, "done")
    assert await retried(request, [0.5], limit=2.0) == "done"
    assert request.at == [0.0, 2.5]
    with pytest.raises(TimeoutError):
        await retried(Request(60.0, 60.0), [0.5], limit=2.0)


async def test_only_what_may_pass_is_tried_again():
    request = Request(LookupError("no"), "never")
    with pytest.raises(LookupError):
        await retried(request, [0.5], on=(OSError,))
    assert len(request.at) == 1


async def test_a_cancellation_ends_it():
    request = Request(OSError("away"), "never")
    trying = asyncio.create_task(retried(request, [5.0]))
    await asyncio.sleep(1.0)
    trying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await trying
    assert len(request.at) == 1


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (api.TwirpError("unavailable", "no node", status=503), "no node (unavailable)"),
        (OSError("away"), "away"),
        (TimeoutError(), "TimeoutError"),
    ],
)
def test_what_went_wrong_is_told_in_one_line(error, reason):
    assert reason_of(error) == reason
