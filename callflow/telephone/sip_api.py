"""LiveKit's SIP API (`/twirp/livekit.SIP/…`) on a bridge without a carrier: its requests, its answers, its errors."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping

import jwt
from aiohttp import web
from attrs import define
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError, Message
from livekit import api, rtc
from livekit.protocol.sip import (
    CreateSIPParticipantRequest,
    SIPMediaEncryption,
    SIPParticipantInfo,
    TransferSIPParticipantRequest,
    TransferSIPParticipantResponse,
)

from callflow.simulate.bridge import Bridge, Dial, Transfer
from callflow.simulate.refusals import BridgeError
from callflow.telephone.proxy import ApiCall, twirp_error
from callflow.telephone.rooms import Place

logger = logging.getLogger("callflow.telephone")

SERVICE = "livekit.SIP/"


@define(eq=False)
class SipApi:
    """Answers the calls to LiveKit's SIP service; `place` is the server whose rooms `bridge` uses, `lk` its API."""

    bridge: Bridge
    place: Place
    lk: api.LiveKitAPI

    async def answer(self, call: ApiCall) -> web.Response:
        """The response of one call, an error as LiveKit words it. Calls of other services are passed on."""
        if not call.method.startswith(SERVICE):
            return await call.pass_on()
        work = _METHODS.get(call.method.removeprefix(SERVICE))
        if work is None:
            return twirp_error(
                501, "unimplemented", "a stand-in telephone network has every trunk, and no list of them"
            )
        if not self._may_call(call.token):
            return twirp_error(401, "unauthenticated", "invalid API key or secret, or no permission to call")
        try:
            answer = await work(self, call)
        except BridgeError as error:
            return twirp_error(error.status, error.code, error.message, error.metadata)
        except DecodeError:
            return twirp_error(400, "malformed", "the request cannot be read")
        except rtc.ConnectError as error:
            logger.warning("a telephone could not be put into its room", extra={"error": str(error)})
            return twirp_error(503, "unavailable", f"the telephone could not be put into its room: {error}")
        return web.Response(body=answer.SerializeToString(), content_type="application/protobuf")

    async def dial(self, call: ApiCall) -> Message:
        """CreateSIPParticipant. Raises BridgeError, DecodeError, `rtc.ConnectError`."""
        request = call.read(CreateSIPParticipantRequest)
        dialled = await self.bridge.dial(
            Dial(
                to=request.sip_call_to,
                room=request.room_name,
                trunk=request.sip_trunk_id or request.trunk.hostname,
                identity=request.participant_identity,
                name=request.participant_name,
                metadata=request.participant_metadata,
                attributes=dict(request.participant_attributes),
                ringing_timeout=_seconds(request.ringing_timeout),
                max_call_duration=_seconds(request.max_call_duration),
                dtmf=request.dtmf,
                wait=request.wait_until_answered,
                headers=dict(request.headers),
                trunk_number=request.sip_number,
                display_name=request.display_name if request.HasField("display_name") else None,
                hide_phone_number=request.hide_phone_number,
                play_dialtone=request.play_dialtone,
                krisp=request.krisp_enabled,
                media_encryption=SIPMediaEncryption.Name(request.media_encryption),
            )
        )
        return SIPParticipantInfo(
            participant_id=dialled.participant_id,
            participant_identity=dialled.identity,
            room_name=dialled.room,
            sip_call_id=dialled.call_id,
        )

    async def transfer(self, call: ApiCall) -> Message:
        """TransferSIPParticipant. Raises BridgeError, DecodeError."""
        request = call.read(TransferSIPParticipantRequest)
        who = api.RoomParticipantIdentity(room=request.room_name, identity=request.participant_identity)
        try:
            await self.lk.room.get_participant(who)
        except api.ServerError as error:
            raise BridgeError("not_found" if error.code == "not_found" else "internal", error.message) from error
        await self.bridge.transfer(
            Transfer(
                room=request.room_name,
                identity=request.participant_identity,
                to=request.transfer_to,
                ringing_timeout=_seconds(request.ringing_timeout),
                headers=dict(request.headers),
                play_dialtone=request.play_dialtone,
            )
        )
        return TransferSIPParticipantResponse()

    def _may_call(self, token: str) -> bool:
        try:
            claims = api.TokenVerifier(self.place.key, self.place.secret).verify(token)
        except jwt.PyJWTError:
            return False
        return claims.sip is not None and claims.sip.call


_METHODS: Mapping[str, Callable[[SipApi, ApiCall], Awaitable[Message]]] = {
    "CreateSIPParticipant": SipApi.dial,
    "TransferSIPParticipant": SipApi.transfer,
}


def _seconds(duration: Duration) -> float | None:
    return duration.ToTimedelta().total_seconds() or None
