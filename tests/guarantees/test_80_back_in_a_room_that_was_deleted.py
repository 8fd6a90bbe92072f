"""Row 80: after an outage the telephone is back in the room, and sits there in silence for as long as it likes: a SIP
bridge's client comes back 1.6 to 6.5 s after its server, and makes the room anew that was deleted meanwhile.

In a flow whoever was out of reach as the line dropped is looked for until half a minute has passed, and dropped again; the
record says of the line what is known.
"""

from __future__ import annotations

import asyncio
import json

import pytest

import callflow
from callflow.telephony.network import FAR_ENDS
from callflow.testing.caller import Caller
from callflow.testing.phone import SIP
from callflow.testing.play import Stage, silent
from tests.guarantees.conftest import FRONT_DESK
from tests.support.phone import OUTBOUND, calls, outbound, rings_on
from tests.support.rawphone import raw_phone

STAYS = OUTBOUND.replace("after: {40s: ending}", "after: {10m: ending}")
GOODBYE = OUTBOUND.replace("after: {40s: ending}", "after: {4s: {target: ending, do: [{say: Goodbye.}]}}")


def goes_away(stage, after, seconds, **how):
    asyncio.get_running_loop().call_later(after, lambda: stage.server.go_away(seconds, **how))


def written(folder):
    [path] = folder.glob("*.json")
    return json.loads(path.read_text())


async def test_by_itself_the_telephone_sits_in_silence():
    async with raw_phone(FAR_ENDS["answers"]) as raw:
        await raw.dial()
        raw.server.go_away(17, agents=None)
        await asyncio.sleep(18)
        await raw.job.ctx.delete_room("room")
        assert not raw.server.rooms
        await asyncio.sleep(300)
        assert list(raw.server.rooms["room"].members) == ["phone"]
        assert rings_on(raw.calls[0])


@pytest.mark.parametrize("back", [1.6, 6.5, 20.0])
@pytest.mark.parametrize("gone", [14, 17, 20, 35, 60])
async def test_nobody_is_left_in_silence(server, gone, back, tmp_path):
    stage = outbound(server, FAR_ENDS["answers"], STAYS, journal=tmp_path)
    began, goodbye = 5, 5 + gone
    goes_away(stage, began, gone, callers=back)
    record = await stage.play()
    [call] = calls(stage)
    [bye] = [signal.at for signal in call.signals if signal.message == "BYE"]
    assert bye - goodbye - back < 4, "once there is a server that can say so"
    assert server.rooms == {}
    assert (record.outcome, record.hung_up_by) == ("hung_up", "network")
    assert record.line in ("stands", "unknown")
    one = written(tmp_path)
    assert one["line"] == "dropped"
    assert one["line_dropped"] - record.started == pytest.approx(bye, abs=0.5)


async def test_an_outage_that_is_short_enough_costs_no_call(server, tmp_path):
    stage = outbound(server, FAR_ENDS["answers"], OUTBOUND, journal=tmp_path)
    goes_away(stage, 5, 3, agents=2.0)
    record = await stage.play()
    assert (record.cause.event, record.line) == ("delete_room", "dropped")
    assert not rings_on(calls(stage)[0])
    assert server.rooms == {}


@pytest.mark.parametrize("gone", [5, 17, 35])
async def test_nor_after_one_that_begins_in_the_goodbye(server, gone, tmp_path):
    stage = outbound(server, FAR_ENDS["answers"], GOODBYE, journal=tmp_path)
    goes_away(stage, 6.0, gone)
    await stage.play()
    assert not rings_on(calls(stage)[0])
    assert server.rooms == {}
    assert written(tmp_path)["line"] == "dropped"


async def test_nor_is_a_caller_in_a_browser(server, tmp_path):
    stage = Stage(callflow.loads(FRONT_DESK), server, ["Good day."], silent, journal=tmp_path)
    goes_away(stage, 5, 17)
    await stage.play()
    assert not stage.far_end.on_line
    assert server.rooms == {}
    assert written(tmp_path)["line"] == "dropped"


async def test_an_agent_whose_own_client_comes_back_leaves_no_room(server, tmp_path):
    """The room was deleted while it tried to reconnect."""
    flow = STAYS.replace("initial:", "limits: {reconnecting: 5s}\ninitial:")
    stage = outbound(server, FAR_ENDS["answers"], flow, journal=tmp_path)
    asyncio.get_running_loop().call_later(5, lambda: server.cut_off(stage.job.room.info.identity, 7.0))
    record = await stage.play()
    assert record.outcome == "line_lost"
    assert not rings_on(calls(stage)[0])
    await asyncio.sleep(10)
    assert server.rooms == {}
    assert written(tmp_path)["line"] == "dropped"


async def test_whoever_calls_again_into_the_same_room_is_left_alone(server):
    """The next call of the same caller: another SIP call, with another agent."""
    stage = outbound(server, FAR_ENDS["answers"], STAYS)
    goes_away(stage, 5, 17, callers=500.0)
    play = asyncio.ensure_future(stage.play())
    await asyncio.sleep(36)
    [leg] = stage.telephones.legs.values()
    attributes = {**leg.info.attributes, "sip.callID": "SCL_another"}
    again = Caller(server, stage.room, leg.identity, kind=SIP, attributes=attributes)
    again.join()
    await play
    assert again.on_line


async def alarmed(server, **how):
    alarms = []
    stage = outbound(server, FAR_ENDS["answers"], STAYS, options={"on_line_stands": alarms.append})
    goes_away(stage, 5, 17, **how)
    return await stage.play(), alarms


async def test_it_is_an_error_and_an_alarm(server, caplog):
    record, alarms = await alarmed(server)
    assert alarms == [record]
    assert record.line == "unknown"
    [error] = [one for one in caplog.records if one.message.startswith("somebody may be on the line")]
    assert (error.levelname, error.line, error.call) == ("ERROR", "unknown", record.call)


async def test_a_line_that_dropped_is_no_alarm(server, caplog):
    alarms = []
    record = await outbound(server, FAR_ENDS["answers"], options={"on_line_stands": alarms.append}).play()
    assert (record.line, alarms) == ("dropped", [])
    assert not [one for one in caplog.records if one.levelname == "ERROR"]
