"""Row 34: a call that nobody answers escapes `except SipCallError`: it is a plain ServerError, a TimeoutError, or what
aiohttp raises.

In a flow every dial ends with one of six results.
"""

from __future__ import annotations

import pytest
from livekit import api

from callflow.telephony.network import FAR_ENDS, FarEnd
from callflow.testing import SimulatedServer
from tests.support.phone import dials, outbound
from tests.support.rawphone import raw_phone

CASES = {
    "rings for ever": (FAR_ENDS["no_answer"], api.ServerError, "no_answer"),
    "nothing is there": (FAR_ENDS["unreachable"], api.ServerError, "no_answer"),
    "no credentials": (FarEnd(1, 401), api.ServerError, "failed"),
    "a server that hangs": (FarEnd(service="hangs"), TimeoutError, "failed"),
}


@pytest.fixture
async def server():
    async with SimulatedServer() as server:
        yield server


@pytest.mark.parametrize("case", CASES)
async def test_by_itself_it_is_no_sip_call_error(case):
    far, kind, _ = CASES[case]
    async with raw_phone(far) as phone:
        with pytest.raises(kind) as raised:
            await phone.dial()
        assert not isinstance(raised.value, api.SipCallError)


@pytest.mark.parametrize("case", CASES)
async def test_in_a_flow_it_is_a_result(server, case):
    far, _, result = CASES[case]
    stage = outbound(server, far)
    record = await stage.play()
    assert [dial["result"] for dial in dials(stage)] == [result]
    assert record.outcome == result
