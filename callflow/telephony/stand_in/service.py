"""LiveKit's SIP API (`/twirp/livekit.SIP/…`) on a bridge without a carrier: its requests, its answers, its errors."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping

import jwt
from aiohttp import web
from attrs import define
from google.protobuf.message import DecodeError, Message
from livekit import api, rtc
from livekit.protocol.sip import (
    CreateSIPParticipantRequest,
    TransferSIPParticipantRequest,
    TransferSIPParticipantResponse,
)

from callflow.telephony.bridge import Bridge
from callflow.telephony.refusals import BridgeError
from callflow.telephony.sip_api import dial_of, info_of, transfer_of
from callflow.telephony.stand_in.proxy import ApiCall, twirp_error
from callflow.telephony.stand_in.rooms import Place

logger = logging.getLogger("callflow.telephony.stand_in")

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
        return info_of(await self.bridge.dial(dial_of(request)))

    async def transfer(self, call: ApiCall) -> Message:
        """TransferSIPParticipant. Raises BridgeError, DecodeError."""
        request = call.read(TransferSIPParticipantRequest)
        who = api.RoomParticipantIdentity(room=request.room_name, identity=request.participant_identity)
        try:
            await self.lk.room.get_participant(who)
        except api.ServerError as error:
            raise BridgeError("not_found" if error.code == "not_found" else "internal", error.message) from error
        await self.bridge.transfer(transfer_of(request))
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
