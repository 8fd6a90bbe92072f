"""A scenario file: one call that once went wrong, or might; it runs again with `python -m tests.faults FILE`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml
from attrs import evolve, field, frozen

from callflow.errors import CallflowError
from tests.core.oracle.duel import load
from tests.core.oracle.generate import PART, Dice, FlowMaker, as_text
from tests.faults.chaos import Chaos, marked

HOWS = ("shutdown", "worker closes")


@frozen
class Scenario:
    """`flow` is a flow file as plain data, `part` its sub-flow's; `script` is what happens, line by line; `how` the call
    is told to end."""

    flow: dict[str, Any]
    part: dict[str, Any] | None = None
    script: list[str] = field(factory=list)
    how: str = "shutdown"
    close_hangs: bool = False

    @property
    def text(self) -> str:
        return as_text(self.flow) + (PART + as_text(self.part) if self.part and "use" in self.flow else "")

    def run(self) -> None:
        """Raises whatever is wrong."""
        chaos = Chaos(load(self.text), self.text, close_hangs=self.close_hangs)
        try:
            chaos.play(self.script)
            chaos.finish(self.how)
        finally:
            chaos.close()

    def problem(self) -> str | None:
        """What is wrong, in a line; None for nothing, and for a flow that does not load."""
        try:
            self.run()
        except CallflowError:
            return None
        except Exception as error:  # noqa: BLE001 - a bug of any kind is what we are here for
            return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        return None

    def save(self, path: Path, why: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        data = {"how": self.how, "close_hangs": self.close_hangs, "script": self.script, "flow": self.flow}
        body = as_text(data | ({"part": self.part} if self.part else {}))
        head = "".join(f"# {line}\n" for line in why.splitlines())
        path.write_text(f"{head}# Again: python -m tests.faults {path.name}\n{body}", encoding="utf-8")


def read(path: Path) -> Scenario:
    return Scenario(**yaml.safe_load(path.read_text(encoding="utf-8")))


def random_scenario(dice: Dice) -> Scenario:
    """A random flow, without a script; half of them have something to wrap up."""
    maker = FlowMaker(dice)
    data = marked(maker.make())
    if dice.chance(50):
        data["wrap_up"] = [{"http": "https://crm.example/"}]
    return Scenario(data, marked(maker.make_part(), 1000) if "use" in data else None)


def shrunk(scenario: Scenario, most: int = 800) -> Scenario:
    """A smaller scenario in which the same goes wrong: without what it does not need."""
    want = _kind(scenario.problem())
    if want is None:
        return scenario
    tries = 0
    again = True
    while again:
        again = False
        for smaller in _smaller(scenario):
            tries += 1
            if tries > most:
                return scenario
            if _kind(smaller.problem()) == want:
                scenario, again = smaller, True
                break
    return scenario


def _kind(problem: str | None) -> str | None:
    """What is wrong, without the numbers."""
    return None if problem is None else "".join(letter for letter in problem if not letter.isdigit())


def _smaller(scenario: Scenario) -> Iterator[Scenario]:
    script = scenario.script
    size = len(script) // 2
    while size:
        for begin in range(0, len(script), size):
            yield evolve(scenario, script=script[:begin] + script[begin + size :])
        size //= 2
    for number, line in enumerate(script):
        parts = line.split(" + ")
        for index in range(len(parts) if len(parts) > 1 else 0):
            rest = " + ".join(parts[:index] + parts[index + 1 :])
            yield evolve(scenario, script=[*script[:number], rest, *script[number + 1 :]])
    for flow in _without(scenario.flow):
        yield evolve(scenario, flow=flow)


def _without(value: Any) -> Iterator[Any]:
    """The same data, each time without one of its parts; the large parts first."""
    if isinstance(value, dict):
        for key in value:
            yield {name: item for name, item in value.items() if name != key}
        for key, inner in value.items():
            for smaller in _without(inner):
                yield {**value, key: smaller}
    elif isinstance(value, list):
        for index in range(len(value)):
            yield value[:index] + value[index + 1 :]
        for index, inner in enumerate(value):
            for smaller in _without(inner):
                yield [*value[:index], smaller, *value[index + 1 :]]


Report = Callable[[int, int], None]


def soak(first: int, calls: int, folder: Path, report: Report, per_flow: int = 8, stride: int = 1) -> Path | None:
    """Plays random calls, `per_flow` of each random flow, from seed `first` on, each `stride`-th of them. The file of the
    first counter-example, shrunk; None where there is none."""
    done = 0
    seed = first
    while done < calls:
        dice = Dice.seeded(seed)
        made = random_scenario(dice)
        text = made.text
        flow = load(text)
        for number in range(min(per_flow, calls - done)):
            one = evolve(made, how=dice.pick(HOWS), close_hangs=dice.chance(10))
            chaos = None
            try:
                chaos = Chaos(flow, text, close_hangs=one.close_hangs)
                chaos.wander(dice, 25)
                chaos.finish(one.how)
            except Exception as error:  # noqa: BLE001 - written down
                script = [] if chaos is None else list(chaos.script)
                path = folder / f"seed-{seed}-{number}.yaml"
                shrunk(evolve(one, script=script)).save(path, f"{type(error).__name__}: {str(error).splitlines()[0]}")
                return path
            finally:
                if chaos is not None:
                    chaos.close()
            done += 1
        report(done, seed)
        seed += stride
    return None
