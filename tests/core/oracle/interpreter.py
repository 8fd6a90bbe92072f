"""The rules 3 to 14 of the flow language, read off its page one by one and carried out the plainest way.

Nothing is compiled, cached or shared with the core but the data types (the flow, events, the catalogue of verbs) and
the evaluation of expressions. Effects are numbered from 1 in the order in which they start.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from attrs import define, field

from callflow.core.actions import OUTCOMES, VERBS, Verb
from callflow.core.events import EffectEnded, Event, keep_policy
from callflow.core.expressions import Context, EvaluationError, Expression, Template, coerce
from callflow.core.flow import ROOT, Action, Flow, Position, Transition
from callflow.core.statechart.descriptors import matches
from tests.core.oracle.structure import (
    EntrySet,
    apart,
    around,
    children,
    domain,
    exit_set,
    in_document_order,
    inside,
    leaves,
    optimal,
    says_goodbye,
    within,
)

STOPS_WITHIN = 5.0
SETTLES_WITHIN = 5.0
ENOUGH = 100
NEEDS_NO_LINE = ("http", "python", "tag", "send_data", "start_recording", "stop_recording")
DROP_LEG = Action("remove_participant", {}, 5.0, Position(), optional=True)


class Fired(NamedTuple):
    """A timer has come due: the oracle's own input, since generations are the core's affair."""

    kind: str
    state: str
    row: int
    time: float


class Move(NamedTuple):
    transitions: tuple[int, ...]
    exited: tuple[str, ...]
    entered: tuple[str, ...]


class Started(NamedTuple):
    id: int
    verb: str
    arguments: Mapping[str, Any]


@define
class Report:
    """What one input brought about."""

    moves: list[Move] = field(factory=list)
    started: list[Started] = field(factory=list)
    cancelled: list[int] = field(factory=list)
    forwarded: list[int] = field(factory=list)


def writer_of(row: Transition) -> str:
    """Whose failure it is: with a dot, that of the top of the sub-flow inside the state."""
    return row.source + "." if row.level == "inner" else row.source


@define(eq=False)
class Work:
    """A list of actions on its way. `stopped`: an action has failed, or has a named result, which is not taken yet."""

    number: int
    kind: str  # exit, do (owed), stay (a `do` without a target), rest, late, tool, entry
    owner: str
    writer: str
    actions: tuple[Action, ...]
    scope: str
    values: dict[str, Any]  # the variables it reads and sets, also when their sub-flow is over
    event: Event | None = None
    at: int = 0
    effect: int | None = None
    stopped: bool = False
    begun: bool = False

    @property
    def owed(self) -> bool:
        return self.kind in ("exit", "do")


@define(eq=False)
class Effect:
    """An effect that runs, or (`stopping`) was cancelled and has not stopped yet."""

    id: int
    action: Action | None
    owner: str | None  # the state with which it is cancelled
    work: Work | None  # the list that waits for it
    writer: str = ROOT
    stopping: int | None = None  # the number of its cancellation
    outlives: bool = False  # the model called a tool in this speech, and its state was left
    region: str = ROOT

    def release(self) -> None:
        """The list that waits for it goes on."""
        if self.work is not None:
            self.work.effect = None
            self.work.stopped = False

    @property
    def verb(self) -> Verb | None:
        return None if self.action is None else VERBS[self.action.verb]


@define(eq=False)
class Timer:
    kind: str
    state: str
    row: int
    due: float


@define(eq=False)
class Quiet:
    """One state's silence: what was counted before `since` (None while it does not count)."""

    counted: float = 0.0
    since: float | None = None
    fired: set[int] = field(factory=set)


class Kept(NamedTuple):
    """A kept event, or a timer that came due (`timer`: kind, state, row)."""

    event: Event
    timer: tuple[str, str, int] | None = None


TAKEN, IGNORED, BLOCKED = "taken", "ignored", "blocked"


def is_key(name: str) -> bool:
    return name.startswith("dtmf.") and name.partition(".")[2] not in ("input", "no_input", "no_match")


class Oracle:
    """One call."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.now = 0.0
        self.phase = "running"
        self.active: set[str] = set()
        self.history: dict[str, tuple[str, ...]] = {}
        self.visits: dict[str, int] = {}
        self.vars: dict[str, dict[str, Any]] = {}  # by scope; a sub-flow has new ones each time
        self.outcome: str | None = None
        self.fault = False
        self.faults = 0
        self.works: list[Work] = []
        self.effects: dict[int, Effect] = {}
        self.timers: list[Timer] = []
        self.quiet: dict[str, Quiet] = {}
        self.queue: list[Event] = []
        self.kept: list[Kept] = []
        self.returning: list[Kept] = []
        self.held: list[Event] = []
        self.finished: set[str] = set()
        self.leg = "on_line"
        self.caller_speaks = False
        self.agent_busy = False
        self.cut_off = False
        self.unheard = False  # the caller has muted themselves
        self.needless: tuple[str, float] | None = None  # a terminator that may be pressed all the same, until then
        self.closed: set[str] = set()
        self.closing: set[str] = set()  # by the flow's own action, which has not failed
        self.numbers = 0
        self.effect_numbers = 0
        self.entered = 0
        self.spent = 0
        self.began_in_ending = False
        self.report = Report()

    # -- inputs --------------------------------------------------------------------------------------------------

    def start(self, time: float) -> Report:
        self.now = time
        self.report = Report()
        self.open_scope(ROOT)
        if self.flow.outbound:
            self.leg = "absent"
        self.active = {ROOT}
        self.arm(ROOT)
        initial = self.flow.root.initial
        assert initial is not None
        self.enter_initial(initial)
        self.complete()
        self.protect_last_words()
        return self.report

    def enter_initial(self, initial: str) -> None:
        entry = EntrySet(self.flow, self.history)
        entry.add_inward(initial)
        entry.add_outward(initial, ROOT)
        self.change([], set(), [], entry.states, None)

    def take(self, event: Event | EffectEnded | Fired) -> Report:
        self.report = Report()
        self.spent = 0
        self.began_in_ending = self.in_ending()
        if self.phase == "ended":
            return self.report
        self.now = event.time
        if isinstance(event, Fired):
            self.take_timer(event)
        elif isinstance(event, EffectEnded):
            self.take_end(event)
        else:
            self.take_event(event)
        self.complete()
        self.protect_last_words()
        return self.report

    def protect_last_words(self) -> None:
        """What is said at the end of the call is not interruptible unless the flow says so."""
        if (
            self.phase == "running"
            and not self.in_ending()
            and not any(says_goodbye(self.flow, p) for p in self.active)
        ):
            return
        for n, one in enumerate(self.report.started):
            verb = VERBS.get(one.verb)
            if verb is not None and verb.speech and one.arguments.get("interruptible") is None:
                self.report.started[n] = one._replace(arguments={**one.arguments, "interruptible": False})

    def take_event(self, event: Event) -> None:
        if event.name.startswith("tool."):
            self.take_call(event)
            return
        if self.phase != "running":
            self.collects(event)
            return
        self.wait_for_far_end(event)
        if event.name == "call.hangup" and self.runs("transfer"):
            self.held.append(event)  # rule 7: it waits for the transfer's result
            self.timers.append(Timer("settle", ROOT, 0, self.now + SETTLES_WITHIN))
            return
        if self.observe(event) and not self.in_ending():
            self.entered = 0
        if self.own_doing(event) or self.collects(event):
            return
        self.handle(event)

    def wait_for_far_end(self, event: Event) -> None:
        """A far end that has vanished is waited for, for as long as `reconnect_grace` says; whatever else is heard of it, or the
        end of the room, ends the wait."""
        if event.name.startswith("call.") or event.name == "room.disconnected":
            self.timers = [one for one in self.timers if one.kind != "away"]
        if event.name == "call.dropped":
            assert self.flow.reconnect_grace is not None
            self.timers.append(Timer("away", ROOT, 0, self.now + self.flow.reconnect_grace))

    def collects(self, event: Event) -> bool:
        """A key while keys are collected is for whoever collects them; so is a terminator that comes after enough keys, and
        it is nobody's."""
        if not is_key(event.name):
            return False
        needless, self.needless = self.needless, None
        if needless is not None and needless[0] == event.name and event.time <= needless[1]:
            return True
        takers = [one for one in self.effects.values() if one.stopping is None and one.verb is VERBS["collect_digits"]]
        self.report.forwarded += [one.id for one in takers[:1]]
        return bool(takers)

    def await_needless(self, action: Action, ended: EffectEnded) -> None:
        if ended.result.get("ended_by") == "count" and action.arguments["terminator"] == "#":
            self.needless = ("dtmf.pound", self.now + action.arguments["between_digits"])

    def take_call(self, event: Event) -> None:
        """The model has called a tool that it was offered, now or before the states of that time were left."""
        if event.offered_in is None:
            event = event._replace(offered_in=tuple(leaves(self.flow, self.active)))
        tool = self.flow.tools[event.name.removeprefix("tool.")]
        assert event.offered_in is not None
        offering = {one for leaf in event.offered_in for one in (leaf, *around(self.flow, leaf))}
        if not tool.own and not any(tool.name in self.flow.states[one].tools for one in offering):
            return
        if tool.run is not None:
            self.add_work("tool", ROOT, ROOT, (tool.run,), ROOT, event)
        else:
            self.tell(event)

    def tell(self, event: Event) -> None:
        """A tool's event: for the states that are active now, and where none takes it for those in which it was called."""
        if self.phase != "running" or not self.handle(event):
            self.take_late(event)

    def take_late(self, event: Event) -> None:
        assert event.offered_in is not None
        if self.phase == "running" and self.active.issuperset(event.offered_in):
            return
        now = self.active
        self.active = {one for leaf in event.offered_in for one in (leaf, *around(self.flow, leaf))}
        rows: list[Transition] = []
        for leaf in leaves(self.flow, self.active):
            for state in (leaf, *around(self.flow, leaf)):
                answer = self.in_state(state, event, blocks=False)
                if isinstance(answer, Transition) and answer not in rows:
                    rows.append(answer)
                if answer is not None:
                    break
        rows = optimal(self.flow, self.active, rows)
        self.active = now
        for row in rows:
            self.add_work("late", row.source, writer_of(row), row.actions, row.scope, event)

    def drop_leg(self, dial: Effect) -> None:
        """Rule 7: a leg that answers after its dial was cancelled is dropped."""
        assert dial.action is not None
        self.effect_numbers += 1
        self.effects[self.effect_numbers] = Effect(self.effect_numbers, DROP_LEG, None, None)
        self.report.started.append(
            Started(self.effect_numbers, "remove_participant", {"leg": dial.action.arguments["leg"]})
        )

    def take_result(self, effect: Effect, event: Event) -> None:
        assert effect.verb is not None
        assert effect.action is not None
        if event.name == "dial.answered" and effect.action.arguments["leg"] == "far_end":
            self.leg = "on_line"
        if effect.work is not None:
            effect.work.effect = None
            effect.work.stopped = True
        taken = self.phase == "running" and self.handle(event)
        self.pump()  # what its row does acts, before the list goes on
        work = effect.work
        if (
            not taken
            and event.name not in effect.verb.success
            and not effect.action.optional
            and self.phase == "running"
        ):
            self.raise_failed(effect.writer, work)
        elif work is not None:
            work.stopped = False
        if effect.verb.name == "transfer":
            self.release_held()

    def release_held(self) -> None:
        for event in self.held:
            self.wait_for_far_end(event)
            self.observe(event)
            self.returning.append(Kept(event))
        self.held = []
        self.timers = [timer for timer in self.timers if timer.kind != "settle"]

    def take_end(self, ended: EffectEnded) -> None:
        effect = self.effects.get(ended.id)
        if effect is None:
            return
        verb, action = effect.verb, effect.action
        if ended.status == "ok":
            self.closed |= set() if verb is None else verb.closes
        elif ended.status == "failed":
            self.closing -= set() if verb is None else verb.closes
        if effect.stopping is not None:
            del self.effects[ended.id]
            if verb is not None and verb.name == "transfer":
                self.release_held()
            if verb is not None and verb.name == "dial" and ended.result.get("result") == "answered":
                self.drop_leg(effect)
            self.timers = [timer for timer in self.timers if (timer.kind, timer.row) != ("stop", ended.id)]
            return
        if action is None or verb is None:
            self.forced(effect, ended)
            return
        if effect.work is not None and effect.work.kind == "tool":
            self.has_run(effect, effect.work, ended)
            return
        self.await_needless(action, ended)
        timed_out = ended.status == "timed_out"
        bad = ended.status in ("failed", "timed_out") and not (timed_out and verb.timeout_is_success)
        named = verb.error_result(timed_out) if bad else None
        if ended.status == "ok" and verb.results:
            named = f"{verb.results[0].partition('.')[0]}.{ended.result.get('result')}"
        del self.effects[ended.id]
        if named is not None:
            self.take_result(effect, Event(named, {}, ended.time, effect=ended.id))
            return
        effect.release()
        if bad and not action.optional and not effect.outlives:
            self.raise_failed(effect.writer, effect.work)

    def forced(self, close: Effect, ended: EffectEnded) -> None:
        del self.effects[close.id]
        if self.phase == "dropping" and ended.status == "ok":
            self.closed |= {"session", "line"}

    def has_run(self, effect: Effect, work: Work, ended: EffectEnded) -> None:
        """A tool's `run`: its event follows where it has not failed."""
        del self.effects[effect.id]
        self.works.remove(work)
        assert work.event is not None
        if ended.status == "ok":
            self.tell(work.event)

    def raise_failed(self, writer: str, work: Work | None) -> None:
        """Rule 9: the list stops until it is taken."""
        if self.phase != "running":
            if work is not None:
                work.stopped = False
            return
        if work is not None:
            work.stopped = True
        self.queue.append(Event("failed", {"list": work}, self.now, state=writer))

    def take_timer(self, fired: Fired) -> None:
        timer = next(
            (one for one in self.timers if (one.kind, one.state, one.row) == (fired.kind, fired.state, fired.row)), None
        )
        if timer is None:
            return
        if timer.kind == "stop":
            self.timers.remove(timer)
            self.effects.pop(timer.row, None)
            return
        if timer.kind == "settle":
            self.release_held()
            return
        if timer.kind == "away":
            self.timers.remove(timer)  # the world is told, and answers with `call.hangup`
            return
        if not self.in_ending():
            self.entered = 0
        row = self.flow.states[timer.state].timers[timer.row]
        if timer.kind == "every":
            while timer.due <= self.now:  # from the entry on: the ones that were missed are gone
                timer.due += row.seconds
        else:
            self.timers.remove(timer)
        if timer.kind == "silence":
            self.quiet[timer.state].fired.add(timer.row)
        event = Event(f"{row.kind} {row.text}", {}, self.now, state=timer.state)
        self.handle_timer(event, (timer.kind, timer.state, timer.row))

    # -- what a call knows of its far end ------------------------------------------------------------------------

    def observe(self, event: Event) -> bool:
        """Takes note of what an event says of the call; whether the caller spoke or pressed a key."""
        name = event.name
        if name in ("call.answered", "call.restored"):
            self.leg = "on_line"
        elif name == "call.dropped":
            self.leg = "dropped"
            self.caller_speaks = False  # whoever is cut off speaks no more
        elif name == "call.hangup":
            self.leg = "gone"
            self.unheard = self.caller_speaks = False
        elif name in ("room.track_muted", "room.track_unmuted"):
            if event.data.get("leg") == "far_end":
                self.unheard = event.data["muted"] == 1
                self.caller_speaks = self.caller_speaks and not self.unheard
        elif name in ("room.reconnecting", "room.reconnected", "room.disconnected"):
            self.cut_off = name != "room.reconnected"
            self.caller_speaks = self.caller_speaks and name != "room.reconnecting"
        elif name == "session.agent_state_changed":
            self.agent_busy = event.data.get("new_state") in ("thinking", "speaking")
        elif name == "session.user_state_changed":
            spoke, self.caller_speaks = self.caller_speaks, event.data.get("new_state") == "speaking"
            if spoke or self.caller_speaks:
                self.break_silence()
                return True
        elif name == "session.user_input_transcribed" or is_key(name):
            self.break_silence()
            return True
        return False

    def break_silence(self) -> None:
        for quiet in self.quiet.values():
            quiet.counted = 0.0
            quiet.fired = set()
            if quiet.since is not None:
                quiet.since = self.now
        self.kept = [one for one in self.kept if one.timer is None or one.timer[0] != "silence"]

    def own_doing(self, event: Event) -> bool:
        """Rule 13: what the flow's own closing brought about is no event."""
        what = {"session.close": "session", "room.disconnected": "line"}.get(event.name)
        if what is None:
            return False
        own = what in self.closing or what in self.closed
        if what == "session" or event.data.get("reason", "") in ("", "ROOM_DELETED", "ROOM_CLOSED"):
            self.closed.add(what)  # of another room the agent is out, and the line may stand
        return own

    def runs(self, verb: str) -> bool:
        return any(
            one.action is not None and one.action.verb == verb and one.stopping is None for one in self.effects.values()
        )

    # -- rule 3: to completion -----------------------------------------------------------------------------------

    def complete(self) -> None:
        while True:
            while self.returning and self.phase != "running":
                self.take_late(self.returning.pop(0).event)
            self.pump()
            if self.phase != "running":
                break
            always = self.enabled_always()
            if self.spent >= ENOUGH and (always or self.queue or self.returning):
                self.spent = 0
                self.overflow()
            elif always:
                self.microstep(always, None)
            elif self.queue:
                self.spent += 1
                self.internal(self.queue.pop(0))
            elif not self.return_kept() and not self.makes_no_progress():
                break
        self.wind_up()
        self.count_silence()

    def makes_no_progress(self) -> bool:
        limit = self.flow.limits.no_progress
        if limit is None and not self.in_ending():
            return False
        if self.in_ending() and not self.began_in_ending:
            self.entered = 0 if limit is None else min(self.entered, limit)
        if self.entered < (ENOUGH if limit is None else 2 * limit if self.in_ending() else limit):
            return False
        self.outcome = self.outcome or "timed_out"
        if self.in_ending():
            self.fault = True
            self.go_to_the_end()
        else:
            self.go_to_ending()
        return True

    def overflow(self) -> None:
        self.queue = []
        for work in self.works:
            work.stopped = False
        self.fault = True
        self.faults += 1
        if self.faults > 1 or self.in_ending():
            self.go_to_the_end()
        else:
            self.go_to_ending()

    def go_to_the_end(self) -> None:
        leaving = self.active - {ROOT}
        self.change([], leaving, [], set(), None)
        self.finish_stays([ROOT])
        self.leave(ROOT, None)
        self.phase = "final"
        self.stop_everything()

    def internal(self, event: Event) -> None:
        if event.offered_in is not None:
            self.tell(event)
        elif event.name == "done":
            self.handle_done(event)
        elif event.name == "failed":
            self.handle_failed(event)
        else:
            self.handle(event)

    # -- selecting -----------------------------------------------------------------------------------------------

    def holds(self, transition: Transition, event: Event | None) -> bool:
        if transition.guard is None:
            return True
        try:
            return bool(self.evaluate(transition.guard, event, transition.source, self.vars[transition.scope]))
        except EvaluationError:
            return False

    def open_scope(self, path: str) -> None:
        variables = self.flow.scopes[path].variables
        self.vars[path] = {name: one.default for name, one in variables.items() if not one.required}

    def evaluate(self, what: Expression | Template, event: Event | None, state: str, values: Mapping[str, Any]) -> Any:
        call = {"outcome": self.outcome or ("failed" if self.fault else "none")}
        context = Context(
            None if event is None else event.data, values, call, {}, {"visits": self.visits.get(state, 0)}
        )
        return what.evaluate(context)

    def binding(self) -> list[str]:
        """The states that must finish and have not."""
        return [
            path
            for path in in_document_order(self.flow, self.active)
            if self.flow.states[path].must_finish and path not in self.finished
        ]

    def is_blocked(self, transition: Transition, own: str | None = None) -> bool:
        """Rule 11. `own`: the state whose failure it is."""
        leaving = exit_set(self.flow, self.active, transition)
        for path in self.binding():
            if path in leaving and not within(self.flow, transition.source, path):
                if own is not None and within(self.flow, own, path) and path not in self.endings():
                    continue
                return True
        return False

    def in_state(
        self, state: str, event: Event, own: str | None = None, level: str | None = None, *, blocks: bool = True
    ) -> Transition | str | None:
        """What one state does about an event: a transition, IGNORED, BLOCKED, or None: nothing."""
        rows = [
            row
            for row in self.flow.states[state].rows
            if matches(row.pattern, event.name) and (level is None or row.level == level)
        ]
        # The top of a sub-flow stands inside its host; an exact name beats a pattern, a longer pattern a shorter one.
        rows.sort(key=lambda row: (row.level != "inner", row.pattern != event.name, -len(row.pattern)))
        for row in rows:
            if row.ignore:
                return IGNORED
            for transition in row.transitions:
                if self.holds(transition, event):
                    return BLOCKED if blocks and self.is_blocked(transition, own) else transition
        return None

    def handle(self, event: Event) -> bool:
        """An event for the whole configuration. Whether it was taken (kept is taken)."""
        enabled: list[Transition] = []
        ignored = blocked = False
        for leaf in leaves(self.flow, self.active):
            for state in (leaf, *around(self.flow, leaf)):
                answer = self.in_state(state, event)
                if answer is None:
                    continue
                if isinstance(answer, Transition):
                    if answer not in enabled:
                        enabled.append(answer)
                elif answer == IGNORED:
                    ignored = True
                else:
                    blocked = True
                break
        if enabled:
            self.microstep(optimal(self.flow, self.active, enabled), event)
        elif not ignored and (blocked or self.has_outer_row(event)) and keep_policy(event.name) != "never":
            self.keep(Kept(event))
            return True
        return bool(enabled) or ignored

    def has_outer_row(self, event: Event) -> bool:
        return any(
            matches(row.pattern, event.name) for state in self.outer_levels() for row in self.flow.states[state].rows
        )

    def outer_levels(self) -> set[str]:
        return {state for path in self.binding() for state in around(self.flow, path)}

    def keep(self, kept: Kept) -> None:
        latest = keep_policy(kept.event.name) == "latest" if kept.timer is None else kept.timer[0] == "every"
        if latest:
            self.kept = [one for one in self.kept if (one.event.name, one.timer) != (kept.event.name, kept.timer)]
        self.kept.append(kept)

    def release_kept(self) -> None:
        """A state that had to finish is done, or was left: what was kept returns, in its order."""
        self.returning += self.kept
        self.kept = []

    def return_kept(self) -> bool:
        if not self.returning:
            return False
        one = self.returning.pop(0)
        if one.timer is not None:
            self.handle_timer(one.event, one.timer)
        else:
            self.internal(one.event)
        return True

    def enabled_always(self) -> list[Transition]:
        enabled: list[Transition] = []
        for leaf in leaves(self.flow, self.active):
            for state in (leaf, *around(self.flow, leaf)):
                found = next((one for one in self.flow.states[state].always if self.holds(one, None)), None)
                if found is not None:
                    if found not in enabled and not self.is_blocked(found):
                        enabled.append(found)
                    break
        return optimal(self.flow, self.active, enabled)

    def handle_done(self, event: Event) -> None:
        assert event.state is not None
        if event.state in self.active:
            if self.flow.states[event.state].must_finish and event.state not in self.finished:
                self.finished.add(event.state)
                self.release_kept()
            answer = self.in_state(event.state, event)
            if isinstance(answer, Transition):
                self.microstep([answer], event)
            elif answer == BLOCKED:
                self.keep(Kept(event))

    def in_ending(self) -> bool:
        return self.flow.ending in self.active

    def endings(self) -> set[str]:
        """The states that `ending:` names, of the flow and of its sub-flows."""
        return {scope.ending for scope in self.flow.scopes.values() if scope.ending is not None}

    def failed_answer(self, event: Event) -> Transition | str | None:
        assert event.state is not None
        top = event.state.rstrip(".")  # with a dot: a row at the top of a sub-flow, inside its host
        levels = [path for path in (top, *around(self.flow, top)) if path in self.active]
        for path in levels:
            if self.flow.states[path].subflow is None:
                answer = self.in_state(path, event, own=top)
            elif path == event.state:  # the host's own list, which is none of the sub-flow's
                answer = self.in_state(path, event, own=event.state, level="own")
            else:
                answer = self.in_subflow(path, event)
            if answer is not None:
                return answer
            if path in self.endings():
                return IGNORED  # only its own rows count in there: the next action runs
        return None

    def in_subflow(self, host: str, event: Event) -> Transition | str | None:
        """A failure inside a sub-flow: its own top level, then its own `ending:`, then its host."""
        assert event.state is not None
        top = event.state.rstrip(".")
        answer = self.in_state(host, event, own=top, level="inner")
        ending = self.flow.scopes[host].ending
        if answer is None and ending is not None and ending not in self.active:
            way = Transition(-1, host, ending, None, (), False, Position(), scope=host)
            answer = BLOCKED if self.is_blocked(way, own=top) else way
        return answer or self.in_state(host, event, own=top, level="own")

    def handle_failed(self, event: Event) -> None:
        """To its state, and outward; then to the `ending:`, unless that would leave a state that must finish and whose
        failure it is not. In the ending the next action runs."""
        work: Work | None = event.data["list"]
        assert event.state is not None
        answer = self.failed_answer(event)
        foreign = any(not within(self.flow, event.state.rstrip("."), path) for path in self.binding())
        if isinstance(answer, Transition):
            self.microstep([answer], event)
        elif answer == BLOCKED or (answer is None and foreign and (self.has_outer_row(event) or not self.in_ending())):
            self.keep(Kept(event))
        elif answer is None and not self.in_ending():
            self.fault = True
            self.go_to_ending()
        if work is not None:
            self.pump()
            work.stopped = False

    def go_to_ending(self) -> None:
        self.spent += 1
        leaving = {path for path in self.active if path != ROOT}
        self.remember(leaving)
        entry = EntrySet(self.flow, {})
        entry.add_inward(self.flow.ending)
        entry.add_outward(self.flow.ending, ROOT)
        self.change([], leaving, [], entry.states, None)

    def timer_rows(self, event: Event, timer: tuple[str, str, int]) -> tuple[Transition | None, bool]:
        _, state, row = timer
        if state not in self.active:
            return None, False
        for transition in self.flow.states[state].timers[row].transitions:
            if self.holds(transition, event):
                if self.is_blocked(transition):
                    return None, True
                return transition, False
        return None, False

    def handle_timer(self, event: Event, timer: tuple[str, str, int]) -> None:
        enabled, blocked = self.timer_rows(event, timer)
        if enabled is not None:
            self.microstep([enabled], event)
        elif blocked or timer[1] in self.outer_levels():
            self.keep(Kept(event, timer))

    # -- moving --------------------------------------------------------------------------------------------------

    def microstep(self, transitions: list[Transition], event: Event | None) -> None:
        self.spent += len(transitions)
        leaving: set[str] = set()
        for one in transitions:
            leaving |= exit_set(self.flow, self.active, one)
        self.remember(leaving)
        entry = EntrySet(self.flow, self.history)
        for one in transitions:
            entry.add_transition(one)
        self.change(transitions, leaving, transitions, entry.states, event)

    def remember(self, leaving: set[str]) -> None:
        for path in leaving:
            for child in self.flow.states[path].children:
                kind = self.flow.states[child].history
                if kind == "shallow":
                    self.history[child] = tuple(one for one in children(self.flow, path) if one in self.active)
                elif kind == "deep":
                    self.history[child] = tuple(
                        one for one in leaves(self.flow, self.active) if inside(self.flow, one, path)
                    )

    def change(
        self,
        transitions: list[Transition],
        leaving: set[str],
        doing: list[Transition],
        entering: set[str],
        event: Event | None,
    ) -> None:
        """The configuration changes at once (rule 4); the lists that this owes and brings are laid in line."""
        spared = event.effect if event is not None and event.name.startswith("tool.") else None
        exited = list(reversed(in_document_order(self.flow, leaving)))
        entered = in_document_order(self.flow, entering)
        taken = tuple(one.id for one in transitions if one.id >= 0)
        self.report.moves.append(Move(taken, tuple(exited), tuple(entered)))
        ends = any(self.flow.states[path].kind == "final" and self.flow.states[path].parent == ROOT for path in entered)
        left = (*exited, ROOT) if ends else exited
        self.finish_stays(left)
        for path in left:
            self.leave(path, spared)
        for path in exited:
            self.add_work("exit", path, path, self.flow.states[path].exit, self.flow.states[path].scope)
        self.active -= leaving
        if any(self.flow.states[path].must_finish for path in leaving):
            self.release_kept()
        for one in doing:
            limit = domain(self.flow, one)
            if limit is None and one.source in left:  # it belongs to a state that another region leaves just now
                self.add_work("rest", one.source, writer_of(one), one.actions, one.scope, event)
            elif limit is None:
                self.add_work("stay", one.source, writer_of(one), one.actions, one.scope, event)
            else:
                self.add_work("do", limit, writer_of(one), one.actions, one.scope, event)
        self.active |= entering
        self.entered += len(entered)
        for path in entered:
            self.visits[path] = self.visits.get(path, 0) + 1
            self.arm(path)
            if self.flow.states[path].subflow is not None:
                self.open_scope(path)
            self.add_work("entry", path, path, self.flow.states[path].entry, self.flow.states[path].scope)
        if ends:
            self.phase = "final"
            self.stop_everything()

    def leave(self, path: str, spared: int | None) -> None:
        for work in [one for one in self.works if one.owner == path and one.kind in ("stay", "entry")]:
            self.works.remove(work)
            if work.effect is not None:
                self.cancel(self.effects[work.effect], spared)
        for effect in [one for one in self.effects.values() if one.owner == path and one.stopping is None]:
            self.cancel(effect, spared)
        self.timers = [one for one in self.timers if one.state != path or one.kind in ("stop", "settle", "away")]
        self.quiet.pop(path, None)
        self.kept = [one for one in self.kept if one.timer is None or one.timer[1] != path]
        self.returning = [one for one in self.returning if one.timer is None or one.timer[1] != path]
        self.finished.discard(path)
        self.queue = [one for one in self.queue if not (one.name == "done" and one.state == path)]
        self.kept = [one for one in self.kept if not self.is_over(one.event, path)]
        self.returning = [one for one in self.returning if not self.is_over(one.event, path)]

    def is_over(self, event: Event, path: str) -> bool:
        """Whether this is the kept `done` of a state that is left, or whose inside moves on."""
        return event.name == "done" and event.state is not None and within(self.flow, path, event.state)

    def finish_stays(self, left: tuple[str, ...] | list[str]) -> None:
        """Rule 6: of a `do` without a target the rest of its set, outcome, emit and log acts when the state is left: inner
        states first, regions in document order. What fails of it is recorded: its list is gone, and the call on its way
        elsewhere."""

        def states(path: str) -> list[str]:
            return [one for child in children(self.flow, path) for one in states(child)] + [path]

        for path in [one for one in states(ROOT) if one in left]:
            for work in [one for one in self.works if one.kind == "stay" and one.owner == path]:
                for action in work.actions[work.at :]:
                    if VERBS[action.verb].at_once:
                        with contextlib.suppress(EvaluationError):
                            self.act(action, work)
                work.actions = ()

    def cancel(self, effect: Effect, spared: int | None) -> None:
        if effect.id == spared and effect.verb is not None and effect.verb.speech:
            effect.owner = None
            effect.work = None
            effect.outlives = True
            return
        if effect.stopping is not None:
            return
        self.numbers += 1
        effect.stopping = self.numbers
        effect.work = None
        self.closing -= {"line"} if effect.verb is not None and "line" in effect.verb.closes else set()
        self.report.cancelled.append(effect.id)
        self.timers.append(Timer("stop", ROOT, effect.id, self.now + STOPS_WITHIN))

    def add_work(
        self,
        kind: str,
        owner: str,
        writer: str,
        actions: tuple[Action, ...],
        scope: str,
        event: Event | None = None,
    ) -> None:
        if not actions and kind != "entry":
            return  # nothing was written; an entry list is one also when it is empty
        self.numbers += 1
        self.works.append(Work(self.numbers, kind, owner, writer, actions, scope, self.vars[scope], event))

    def stop_everything(self) -> None:
        """Rule 13: timers stop, no event is taken any more; what is owed and the final state's own list are run."""
        self.timers = [one for one in self.timers if one.kind in ("stop", "away")]
        self.quiet = {}
        self.queue = []
        self.returning = [one for one in (*self.returning, *self.kept) if one.event.offered_in is not None]
        self.kept = []
        self.held = []

    # -- rules 4 to 6: lists -------------------------------------------------------------------------------------

    def waits(self, work: Work) -> bool:
        if work.effect is not None or work.stopped:
            return True
        if work.kind in ("rest", "tool") or self.lacks_arguments(work):
            return False
        if work.kind == "late":
            return any(
                one.kind == "late" and one.number < work.number and one.owner == work.owner for one in self.works
            )
        for effect in self.effects.values():
            if (
                effect.stopping is not None
                and effect.stopping < work.number
                and not apart(self.flow, effect.region, work.owner)
            ):
                return True
        for other in self.works:
            if other.number >= work.number:
                continue
            if other.owed and not apart(self.flow, other.owner, work.owner):
                return True
            if work.kind == "entry" and other.kind == "entry" and inside(self.flow, work.owner, other.owner):
                return True
            if work.kind == "stay" and other.kind == "stay" and work.owner == other.owner:
                return True
        return False

    def pump(self) -> None:
        while True:
            ready = next((work for work in self.works if not self.waits(work)), None)
            if ready is None:
                return
            self.go_on(ready)

    def go_on(self, work: Work) -> None:
        if self.lacks_arguments(work):
            work.begun = True
            self.take_arguments(work)
            return
        while work.effect is None and not work.stopped:
            if work.at == len(work.actions):
                self.works.remove(work)
                if work.kind == "entry":
                    self.through(work.owner)
                return
            action = work.actions[work.at]
            work.at += 1
            if not VERBS[action.verb].at_once and self.is_passed_over(action, work):
                continue
            try:
                if VERBS[action.verb].at_once:
                    self.act(action, work)
                else:
                    self.begin(action, work)
            except EvaluationError:
                if not action.optional and work.kind != "rest":
                    self.raise_failed(work.writer, work)

    def is_passed_over(self, action: Action, work: Work) -> bool:
        """Of a `do` whose state was left nothing that takes time is begun, and of a tool's nothing that needs the line once
        the call is ending."""
        ending = self.phase != "running" or self.in_ending()
        return work.kind == "rest" or (work.kind == "late" and ending and action.verb not in NEEDS_NO_LINE)

    def lacks_arguments(self, work: Work) -> bool:
        """A sub-flow's `with:` is read before anything inside is decided, also while something owed still runs."""
        return work.kind == "entry" and not work.begun and bool(self.flow.states[work.owner].arguments)

    def take_arguments(self, work: Work) -> None:
        state = self.flow.states[work.owner]
        assert state.subflow is not None
        variables = self.flow.scopes[state.subflow].variables
        try:
            for name, value in self.render(state.arguments, work).items():
                self.vars[state.subflow][name] = coerce(variables[name].type, value)
        except (EvaluationError, ValueError):
            self.raise_failed(work.writer, work)

    def begin(self, action: Action, work: Work) -> None:
        arguments = self.render(action.arguments, work)
        self.effect_numbers += 1
        number = self.effect_numbers
        owner = None if work.owed or work.kind in ("late", "tool") else work.owner
        effect = Effect(number, action, owner, work if action.wait else None, work.writer, region=work.owner)
        self.effects[number] = effect
        self.closing |= VERBS[action.verb].closes
        if action.verb == "dial" and arguments["leg"] == "far_end":
            self.leg = "dialing"
        if action.wait:
            work.effect = number
        self.report.started.append(Started(number, action.verb, arguments))

    def render(self, value: Any, work: Work) -> Any:
        if isinstance(value, Template):
            return self.evaluate(value, work.event, work.writer.rstrip("."), work.values)
        if isinstance(value, Mapping):
            return {name: self.render(item, work) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.render(item, work) for item in value]
        return value

    def act(self, action: Action, work: Work) -> None:
        arguments = self.render(action.arguments, work)
        if action.verb == "set":
            new = {}
            for name, value in arguments["values"].items():
                try:
                    new[name] = coerce(self.flow.scopes[work.scope].variables[name].type, value)
                except ValueError as error:
                    raise EvaluationError(name, str(error)) from error
            work.values.update(new)
        elif action.verb == "outcome":
            if arguments["name"] not in (*OUTCOMES, *self.flow.outcomes):
                raise EvaluationError("outcome", "no such outcome")
            if self.outcome is None:
                self.outcome = arguments["name"]
        elif action.verb == "emit" and self.phase == "running":
            self.queue.append(Event(arguments["event"], arguments["data"] or {}, self.now))

    # -- rule 8: done --------------------------------------------------------------------------------------------

    def through(self, path: str) -> None:
        """The entry list of `path` is through: who is done by that?"""
        if self.phase != "running":
            return
        state = self.flow.states[path]
        if not children(self.flow, path) and state.kind != "final":
            self.raise_done(path, "")
        if state.kind == "final" and state.parent not in (None, ROOT):
            assert state.parent is not None
            if state.must_finish:
                self.finished.add(path)
                self.release_kept()
            self.raise_done(state.parent, state.name, self.returned(path))
            above = self.flow.states[state.parent].parent
            if above is not None and self.flow.states[above].kind == "parallel" and self.all_regions_done(above):
                self.raise_done(above, "")

    def all_regions_done(self, path: str) -> bool:
        return all(self.is_at_its_end(region) for region in children(self.flow, path))

    def is_at_its_end(self, region: str) -> bool:
        return any(
            child in self.active
            and self.flow.states[child].kind == "final"
            and not any(work.kind == "entry" and work.owner == child for work in self.works)
            for child in children(self.flow, region)
        )

    def returned(self, path: str) -> dict[str, Any]:
        """What a final state of a sub-flow gives to its host; what cannot be worked out is left out."""
        state = self.flow.states[path]
        found = {}
        for name, template in state.returns.items():
            with contextlib.suppress(EvaluationError):
                plain = not isinstance(template, Template)  # a literal, as it was written
                found[name] = template if plain else self.evaluate(template, None, path, self.vars[state.scope])
        return found

    def raise_done(self, path: str, final: str, returns: Mapping[str, Any] | None = None) -> None:
        self.queue.append(Event("done", {"final": final, "returns": returns or {}}, self.now, state=path))

    # -- rule 13: the end ----------------------------------------------------------------------------------------

    def wind_up(self) -> None:
        stopping = any(effect.stopping is not None for effect in self.effects.values())
        called = any(work.kind in ("late", "tool") for work in self.works)
        owed = any(work.kind not in ("late", "tool") for work in self.works)
        closes = any(effect.action is None for effect in self.effects.values())
        session, line = "session" not in self.closed, "line" not in self.closed
        if (
            self.phase == "closing" and not called and not closes
        ):  # the end waits for what the model has called meanwhile
            self.phase = "wrap_up"
        if self.phase == "dropping" and not called and not closes:
            self.phase = "closing" if session or line else "wrap_up"
            if session or line:
                self.force(session, line)
        if self.phase == "final" and not owed and not stopping and (session or line or not called):
            self.phase = "dropping" if called else "closing" if session or line else "wrap_up"
            if session or line:
                self.force(session, line)
        if self.phase == "wrap_up":
            self.phase = "ended"
            self.report.cancelled += [effect.id for effect in self.effects.values() if effect.stopping is None]
            self.effects = {}
            self.timers = []

    def force(self, session: bool, line: bool) -> None:
        self.effect_numbers += 1
        self.effects[self.effect_numbers] = Effect(self.effect_numbers, None, None, None)
        self.report.started.append(Started(self.effect_numbers, "close", {"session": session, "line": line}))

    # -- rule 10: time -------------------------------------------------------------------------------------------

    def arm(self, path: str) -> None:
        for row in self.flow.states[path].timers:
            if row.kind == "silence":
                self.quiet.setdefault(path, Quiet())
            else:
                self.timers.append(Timer(row.kind, path, row.index, self.now + row.seconds))

    def counts(self) -> bool:
        listens = any(
            one.action is not None
            and one.stopping is None
            and (
                VERBS[one.action.verb].occupies or VERBS[one.action.verb].speech  # music as well
            )
            for one in self.effects.values()
        )
        speaks = listens or self.agent_busy or self.caller_speaks
        return self.leg == "on_line" and not self.cut_off and not self.unheard and not speaks

    def count_silence(self) -> None:
        """Starts or stops every state's count, and says when each row that has not fired would come due."""
        counts = self.counts()
        self.timers = [one for one in self.timers if one.kind != "silence"]
        for path, quiet in self.quiet.items():
            if counts and quiet.since is None:
                quiet.since = self.now
            elif not counts and quiet.since is not None:
                quiet.counted += self.now - quiet.since
                quiet.since = None
            if quiet.since is not None:
                for row in self.flow.states[path].timers:
                    if row.kind == "silence" and row.index not in quiet.fired:
                        self.timers.append(
                            Timer("silence", path, row.index, quiet.since + max(row.seconds - quiet.counted, 0.0))
                        )

    def due_next(self) -> Timer | None:
        """Due at once: the outer state first, then after, every, silence, each in file order."""
        order = {"stop": -1, "settle": 0, "away": 0.5, "after": 1, "every": 2, "silence": 3}
        ranked = sorted(
            self.timers,
            key=lambda one: (
                one.due,
                len(around(self.flow, one.state)),
                order[one.kind],
                list(self.flow.states).index(one.state),
                one.row,
            ),
        )
        return ranked[0] if ranked else None
