"""What callflow reads of LiveKit's that LiveKit has not promised to keep: every such name of the package stands here.

A name that is not found costs what it says under `lost`, and never a call: whoever reads it gets a default, and the log
says once what is lost.
"""

from __future__ import annotations

import logging
from typing import Any, NamedTuple

logger = logging.getLogger("callflow")

CHECKED = {
    "livekit.agents": "livekit-agents 1.8.9",
    "livekit.api": "livekit-api 1.2.2",
    "livekit.rtc": "livekit 1.1.21",
}
"""The release of each of LiveKit's packages in which the names were looked at last."""

NOT_FOUND = "LiveKit has no %s.%s any more, which callflow knows from %s: %s"

_MISSING = object()
_told: set[Internal] = set()


class Internal(NamedTuple):
    """`owner`: whose the name is, dotted, from the package on. `lost`: what a call goes without where it is not found."""

    owner: str
    name: str
    lost: str

    @property
    def checked(self) -> str:
        """In which release it was found."""
        return CHECKED[".".join(self.owner.split(".")[:2])]

    def of(self, thing: object, default: Any = None) -> Any:
        """What `thing` has under this name. `default` where it has not, which is told once, and where there is no thing."""
        if thing is None:
            return default
        found = getattr(thing, self.name, _MISSING)
        if found is _MISSING:
            self._tell()
            return default
        return found

    def put(self, thing: object, value: object) -> bool:
        """Whether it could be set: under a name that LiveKit does not read it would only look so."""
        if self.of(thing, _MISSING) is _MISSING:
            return False
        setattr(thing, self.name, value)
        return True

    def _tell(self) -> None:
        if self not in _told:
            _told.add(self)
            logger.warning(NOT_FOUND, self.owner, self.name, self.checked, self.lost)


_SESSION = "livekit.agents.AgentSession"
_ACTIVITY = "livekit.agents.voice.agent_activity.AgentActivity"
_SPEECH = "livekit.agents.voice.SpeechHandle"
_AMD = "livekit.agents.voice.amd.AMD"
_SERVER = "livekit.agents.AgentServer"

_NO_CLOSE = "of a session that does not close, what this is of stays open until the job's process ends"
_NO_TOOLS = "a function tool that does not end holds up what is said next, and the end of the conversation, up to their time limits"
_NO_TASK = "the action `task` fails, and says so"
_NO_OWN = "the rows of a flow do not hear of the agent's own tools"
_NO_QUIET = "the model may still answer what is said after the flow's last words have begun"
_NO_REALTIME = "a realtime model keeps the tools that were offered when its session began"
_NO_START = "`callflow run` does not say it when it starts"

# -- the session

ACTIVITY = Internal(
    _SESSION, "_activity",
    "nothing of the running agent's part is known: what is named under AgentActivity is lost, too",
)  # fmt: skip
NEXT_ACTIVITY = Internal(_SESSION, "_next_activity", "what is said while an agent hands over is told as not heard")
IS_CLOSING = Internal(
    _SESSION, "_is_closing", "what is said while the session closes fails, instead of being told as not heard"
)
STARTED = Internal(
    _SESSION, "_started", "a session that was closed counts as running: it cannot be used for another call"
)  # fmt: skip
CLOSING = Internal(_SESSION, "_closing", "a session that does not close may begin to speak once more")
HANDOFF = Internal(
    _SESSION, "_update_activity_atask", "a handoff counts as done once the next agent begins to start, or after 1 s"
)  # fmt: skip
ROOM_IO = Internal(_SESSION, "_room_io", _NO_CLOSE)
SESSION_HOST = Internal(_SESSION, "_session_host", _NO_CLOSE)
FORWARD_AUDIO = Internal(_SESSION, "_forward_audio_atask", _NO_CLOSE)
FORWARD_VIDEO = Internal(_SESSION, "_forward_video_atask", _NO_CLOSE)
RECORDED = Internal(_SESSION, "_recorded_events", "LiveKit's report of the session lacks its events")
HANDLERS = Internal(
    "livekit.rtc.EventEmitter", "_events",
    "a handler of the program's that raises TypeError stops those behind it, as without callflow",
)  # fmt: skip

# -- the running agent's part of it

PAUSED = Internal(
    _ACTIVITY, "scheduling_paused", "what is said while an agent hands over fails, instead of waiting for the next one"
)  # fmt: skip
QUEUE = Internal(
    _ACTIVITY, "_speech_q", "what waits behind another speech is not waited for before somebody is taken away"
)
PAUSE = Internal(_ACTIVITY, "_pause_authorization", "the agent may speak into the keys that `send_dtmf` sends")
RESUME = Internal(_ACTIVITY, "_resume_authorization", "the agent may speak into the keys that `send_dtmf` sends")
CANCEL_PREEMPTIVE = Internal(_ACTIVITY, "_cancel_preemptive_generation", _NO_QUIET)
NO_NEW_TURNS = Internal(
    _ACTIVITY, "_new_turns_blocked", "a realtime model may begin to speak during the flow's last words"
)
END_OF_TURN = Internal(
    _ACTIVITY, "on_end_of_turn", "what is said after the flow's last words have begun is not in the transcript"
)  # fmt: skip
SKIP_REPLY = Internal(
    "livekit.agents.voice.audio_recognition._EndOfTurnInfo", "skip_reply",
    "what is said after the flow's last words have begun is not in the transcript",
)  # fmt: skip
SPEECH_TASK = Internal(_ACTIVITY, "_create_speech_task", _NO_TASK)
INLINE = Internal("livekit.agents.voice.agent", "_set_activity_task_info", _NO_TASK)
TASK_INFO = Internal("livekit.agents.voice.agent", "_get_activity_task_info", _NO_OWN)
RECOGNITION = Internal(_ACTIVITY, "_audio_recognition", _NO_CLOSE)
RECOGNITION_CLOSE = Internal("livekit.agents.voice.audio_recognition.AudioRecognition", "_aclose", _NO_CLOSE)
SCHEDULING = Internal(_ACTIVITY, "_scheduling_atask", _NO_CLOSE)
REALTIME = Internal(_ACTIVITY, "_rt_session", _NO_REALTIME)
ACTIVITY_TOOLS = Internal(_ACTIVITY, "tools", _NO_REALTIME)
EXECUTOR = Internal(_ACTIVITY, "_tool_executor", _NO_TOOLS)
RUNNING_TOOLS = Internal("livekit.agents.voice.tool_executor._ToolExecutor", "_running_tasks", _NO_TOOLS)
TOOL_TASK = Internal("livekit.agents.voice.tool_executor._RunningTask", "exe_task", _NO_TOOLS)
TOOL_CONTEXT = Internal("livekit.agents.voice.tool_executor._RunningTask", "ctx", _NO_TOOLS)

# -- a speech

GENERATIONS = Internal(_SPEECH, "_generations", "the end of a speech is noticed up to 10 ms later")
GENERATED = Internal(_SPEECH, "_wait_for_generation", "the end of a speech is noticed up to 10 ms later")

# -- an agent

AGENT_ACTIVITY = Internal(
    "livekit.agents.Agent", "_activity", "the tools of an AgentTask that is left are not cancelled: it ends after 4 s, or later"
)  # fmt: skip
AGENT_TOOLS = Internal("livekit.agents.Agent", "_tools", _NO_OWN + ", and one of a flow's tool's name stops the model")
AGENT_CONTEXT = Internal(
    "livekit.agents.Agent", "_chat_ctx", "the agent does not know what was said before it took over from the silent one"
)  # fmt: skip

# -- answering machine detection

DETECTOR = Internal("livekit.agents", "AMD", "every `detect_machine` ends with `uncertain`, and says why")
DETECTOR_TURN = Internal(_AMD, "_on_end_of_turn", "a reply to what was said during the detection is spoken after it")
DETECTOR_CLOSED = Internal(_AMD, "_closed", "a reply to what is said right after the detection may be left out")
CLASSIFIER = Internal(
    _AMD, "_classifier", "a detection whose model fails is known when its time is up, and what it had heard is not told"
)  # fmt: skip
CLASSIFIER_LLM = Internal(
    "livekit.agents.voice.amd.classifier._AMDClassifier", "_llm",
    "a detection whose model fails is known only when its time is up",
)  # fmt: skip
CLASSIFIER_HEARD = Internal(
    "livekit.agents.voice.amd.classifier._AMDClassifier", "_transcript", "what a detection out of time had heard is not told"
)  # fmt: skip

# -- the job, its server, and LiveKit's API

ON_SHUTDOWN = Internal(
    "livekit.agents.JobContext", "_on_shutdown", "a call hears 15 s late that its worker wants it to end, and is cut"
)  # fmt: skip
SHUTDOWN = Internal(
    "livekit.agents.ipc.job_proc_lazy_main._JobProc", "_shutdown_fut",
    "a call hears 15 s late that its worker wants it to end, and is cut",
)  # fmt: skip
SERVER_OPTIONS = {
    name: Internal(_SERVER, f"_{name}", _NO_START)
    for name in (
        "ws_url", "agent_name", "drain_timeout", "shutdown_process_timeout", "num_idle_processes", "load_threshold", "port",
    )
}  # fmt: skip
OLDER_OPTIONS = Internal(
    "livekit.agents.voice.room_io.RoomOptions", "_create_from_legacy",
    "what a program says by RoomInputOptions or RoomOutputOptions is not taken: say it by RoomOptions",
)  # fmt: skip
CERTIFICATES = Internal(
    "livekit.agents.utils.http_context", "_create_ssl_context", "where the system has no certificates, HTTPS fails"
)  # fmt: skip
SECRET = Internal(
    "livekit.api.room_service.RoomService", "api_secret", "a party that somebody else brings is not taken for the flow's leg"
)  # fmt: skip
REQUESTS = Internal("livekit.api.sip_service.SipService", "_client", "dials use a client of their own")
FAILOVER = Internal("livekit.api.twirp_client.TwirpClient", "_failover", "dials use a client of their own")


def declared() -> tuple[Internal, ...]:
    """Every name, in the order of this file."""
    own = globals().values()
    return tuple(
        one
        for each in own
        for one in (each.values() if isinstance(each, dict) else [each])
        if isinstance(one, Internal)
    )
