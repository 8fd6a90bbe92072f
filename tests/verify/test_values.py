"""What an author learns before any call: values that can never be, guards that decide nothing, what is declared in vain."""

from __future__ import annotations

import pytest

from callflow.flowfile.codes import whole
from callflow.flowfile.loader import read_loads
from callflow.verify import check
from callflow.verify.guards import certain
from callflow.verify.loading import load


def defects(text: str, folder: object = ".", name: str = "<text>"):
    flow, found = read_loads(whole(text), name, str(folder))
    return found if flow is None else check(flow)


def told(text: str) -> list[tuple[str, str]]:
    return [(one.code, one.message) for one in defects(text)]


def listed(action: str) -> list[tuple[str, str]]:
    return told(
        f"states: {{talking: {{entry: [{action}], on: {{dial.*: ending, transfer.*: ending, dtmf.*: ending}}}}}}\n"
    )


class TestValuesThatCannotBe:
    @pytest.mark.parametrize(
        ("action", "code", "says"),
        [
            ("{collect_digits: {prompt: PIN?, tries: 0}}", "bad-value", "`tries` of `collect_digits` is at least 1, not 0"),
            ("{collect_digits: {prompt: PIN?, tries: -2}}", "bad-value", "`tries` of `collect_digits` is at least 1, not -2"),
            ("{collect_digits: {prompt: PIN?, count: 0}}", "bad-value", "`count` of `collect_digits` is at least 1, not 0"),
            ("{collect_digits: {prompt: PIN?, max: 33}}", "bad-value", "`max` of `collect_digits` is at most 32, not 33"),
            ("{collect_digits: {prompt: PIN?, terminator: pound}}", "bad-value", "takes one key: 0-9, a-d, `*` or `#`, not `pound`"),
            ("{collect_digits: {prompt: PIN?, first_digit: 0s}}", "bad-duration", "`first_digit` of `collect_digits` is at least 100ms, not 0s"),
            ('{dial: {to: "+15551234567", trunk: ST_1, ringing_timeout: 0s}}', "bad-duration", "`ringing_timeout` of `dial` is at least 1s, not 0s"),
            ('{dial: {to: "+15551234567", trunk: ST_1, max_call_duration: 0s}}', "bad-duration", "`max_call_duration` of `dial` is at least 1s, not 0s"),
            ('{dial: {to: "+15551234567", trunk: ST_1, detect_machine: {timeout: 0s}}}', "bad-duration", "`timeout` is longer than 0s"),
            ('{dial: {to: "+15551234567", trunk: ST_1, dtmf: ext 12}}', "bad-value", "`dtmf` of `dial` takes keys"),
            ("{dial: {to: hello world, trunk: ST_1}}", "bad-value", "`to` of `dial` takes a phone number or a SIP user"),
            ("{dial: {to: 'sip:ann@example.com', trunk: ST_1}}", "bad-value", "`to` of `dial` takes a phone number or a SIP user"),
            ('{transfer: {to: "+15551234567", ringing_timeout: 0s}}', "bad-duration", "`ringing_timeout` of `transfer` is at least 1s, not 0s"),
            ("{transfer: hello world}", "bad-value", "`transfer` takes a phone number, or a `sip:`, `sips:` or `tel:` address, not `hello world`"),
            ("{transfer: support}", "bad-value", "not `support`"),
            ("{transfer: 'https://example.com'}", "bad-value", "not `https://example.com`"),
            ("{transfer: 'tel:+1 555 123'}", "bad-value", "not `tel:+1 555 123`"),
            ("{send_dtmf: hello}", "bad-value", "`send_dtmf` takes keys"),
            ("{http: {url: 'https://example.com', expect: [200, 20]}}", "bad-value", "100 to 599, not 20"),
            ("{http: {url: 'https://example.com', expect: []}}", "bad-value", "100 to 599, not none"),
            ("{http: {url: 'https://example.com', retry: {times: 21}}}", "bad-value", "`times` is at most 20, not 21"),
            ("{say: {text: Hello., repeat_if_interrupted: -1}}", "bad-value", "is at least 0, not -1"),
            ("{say: {text: Hello., timeout: 0s}}", "bad-duration", "`timeout` is longer than 0s"),
        ],
    )  # fmt: skip
    def test_of_an_action(self, action, code, says):
        [(found, message)] = listed(action)
        assert found == code
        assert says in message

    @pytest.mark.parametrize(
        "action",
        [
            '{transfer: "+15551234567"}',
            '{transfer: "tel:+1-555-123;ext=4"}',
            "{transfer: 'sip:desk@example.com;transport=tls'}",
            "{transfer: 'sips:desk@example.com'}",
            "{transfer: desk@example.com}",
            '{transfer: "100"}',
            '{transfer: "{{ call.id }}"}',
            '{dial: {to: "1001", trunk: ST_1}}',
            "{dial: {to: front.desk, trunk: ST_1, dtmf: 12w34#}}",
            '{collect_digits: {prompt: PIN?, min: 0, max: 32, terminator: "#", tries: 20}}',
            "{send_dtmf: '12W*#d'}",
            "{http: {url: 'HTTPS://example.com:8443/x?y=1', expect: [200, 404]}}",
        ],
    )
    def test_what_can_be_is_not_refused(self, action):
        assert listed(action) == []

    @pytest.mark.parametrize(
        "row", ["{do: []}", "{target: ending, do: []}", "{do: }", "{when: state.visits > 1, do: []}"]
    )
    def test_a_do_that_does_nothing(self, row):
        [(code, message)] = told(f"states: {{talking: {{on: {{dtmf.1: {row}}}}}}}\n")
        assert (code, message) == ("empty-row", "`do` holds no action")

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("limits: {call: 0s}\n", "`call` is longer than 0s"),
            ("limits: {no_progress: 0}\n", "`no_progress` is at least 1, not 0"),
            ("python: {look: {timeout: 0s}}\nstates: {talking: {entry: [{python: look}]}}\n", "`timeout` is longer than 0s"),
            ("events: {app.x: {kind: {type: string, enum: []}}}\nstates: {talking: {on: {app.x: ending}}}\n", "`enum` of `kind` allows nothing"),
        ],
    )  # fmt: skip
    def test_of_what_is_declared(self, text, says):
        [(_, message)] = told(text)
        assert message == says


class TestTimersThatAreNeverDue:
    @pytest.mark.parametrize(
        ("limits", "timer", "says"),
        [
            ("{call: 10m}", "after: {10m: {do: [{log: x}]}}", "`after: 10m` is never due: `limits: {call: 10m}`"),
            ("{call: 10m}", "after: {1h: ending}", "`after: 1h` is never due"),
            ("{call: 10m}", "every: {11m: {do: [{log: x}]}}", "`every: 11m` is never due"),
            ("{silence: 30s}", "silence: {30s: ending}", "`silence: 30s` is never due: `limits: {silence: 30s}`"),
            ("{}", "after: {61m: ending}", "`limits: {call: 1h}`"),
            ("{}", "silence: {3m: ending}", "`limits: {silence: 2m}`"),
            ("{}", "limits: {quiet: 1h}", "nobody can hear nothing for 1h: `limits: {call: 1h}` ends the call first"),
            ("{call: 5m, quiet: 6m}", "after: {1m: ending}", "nobody can hear nothing for 6m: `limits: {call: 5m}`"),
        ],
    )
    def test_in_a_state(self, limits, timer, says):
        [(code, message)] = told(f"limits: {limits}\nstates: {{talking: {{on: {{dtmf.1: ending}}, {timer}}}}}\n")
        assert code == "never-due"
        assert says in message

    @pytest.mark.parametrize(
        "text",
        [
            "limits: {call: 10m}\nstates: {talking: {after: {9m: ending}}}\n",
            "limits: {call: 2h}\nstates: {talking: {after: {61m: ending}}}\n",
            # what must finish keeps the limit until it has
            "limits: {call: 1m}\nstates: {talking: {must_finish: true, after: {2m: ending}}}\n",
            "limits: {call: 1m}\nstates: {talking: {must_finish: true, limits: {quiet: 2m}, after: {30s: ending}}}\n",
            "limits: {call: 5m, quiet: 3m}\nstates: {talking: {on: {dtmf.1: ending}}}\n",  # no silence counts while on hold
            "limits: {call: 1m}\nstates: {talking: {on: {dtmf.1: ending}}, ending: {entry: [hang_up], on: {done: closed}, after: {90s: closed}}}\n",
        ],
    )
    def test_none(self, text):
        assert told(text) == []

    def test_at_the_top(self):
        assert [code for code, _ in told("limits: {call: 5m}\nafter: {5m: ending}\n")] == ["never-due"]


class TestGuardsThatDecideNothing:
    @pytest.mark.parametrize(
        ("guard", "part", "always"),
        [
            ("1 > 2", "1 > 2", False),
            ("1 < 2", "1 < 2", True),
            ("true", "true", True),
            ("not (1 == 1)", "not (1 == 1)", False),
            ("30s > 20s", "30s > 20s", True),
            ('"a" in ["a"]', '"a" in ["a"]', True),
            ("is_set(vars.n) and 1 > 2", "1 > 2", False),
            ("vars.n == vars.n", "vars.n == vars.n", True),
            ("vars.n < vars.n", "vars.n < vars.n", False),
            ("vars.n > 5 and vars.n < 3", "vars.n > 5 and vars.n < 3", False),
            ("5 < vars.n < 3", "5 < vars.n < 3", False),
            ('vars.s == "a" and vars.s == "b"', 'vars.s == "a" and vars.s == "b"', False),
            ('vars.s != "a" or vars.s != "b"', 'vars.s != "a" or vars.s != "b"', True),
            ("state.visits < 1", "state.visits < 1", False),
            ("state.visits >= 1", "state.visits >= 1", True),
            ("len(vars.s) < 0", "len(vars.s) < 0", False),
        ],
    )
    def test_whole_or_in_part(self, guard, part, always):
        assert certain(guard) == (part, always)

    @pytest.mark.parametrize(
        "guard",
        [
            "state.visits > 1", "vars.n > 3 and vars.n < 5", "vars.n >= 3 and vars.n <= 3", 'vars.s == "a" or vars.s == "b"',
            "len(vars.s) > 0", "len(vars.s) == 0", "is_set(vars.n)", "vars.n == vars.m", "vars.b", "not vars.b", "1 < vars.n < 9",
            'in_hours(event.time, "daily 00:00-24:00", "UTC")', "vars.n != 1 and vars.n != 2", "state.visits <= 3",
            'vars.r.code == 404 or vars.r.code == "not_found"', 'vars.r.code != 404 and vars.r.code != "not_found"',
            "vars.r.ok == true or vars.r.ok == 1",
        ],
    )  # fmt: skip
    def test_what_depends_is_left_alone(self, guard):
        assert certain(guard) is None

    def test_the_row_is_named(self):
        found = told("states:\n  talking:\n    on:\n      dtmf.1: {target: ending, when: 1 > 2}\n")
        assert found == [("constant-guard", "the guard decides nothing: `1 > 2` is never true")]


class TestSounds:
    FLOW = (
        "states:\n  talking:\n    entry:\n      - play: hello.wav\n      - play: {file: loop.wav, loop: true}\n      - hold: {music: hold.mp3}\n"
        '      - consult: {to: "+15551234567", trunk: ST_1, music: wait.ogg}\n    on: {consult.*: ending}\n'
    )

    def test_each_is_missed_by_name_and_none_that_a_template_makes(self, tmp_path):
        text = self.FLOW + "on: {dtmf.1: {do: [{play: \"{{ call.id + '.wav' }}\"}]}}\n"
        found = defects(text, tmp_path, str(tmp_path / "flow.yaml"))
        assert [(one.code, one.line) for one in found] == [("no-such-sound", line) for line in (7, 8, 9, 10)]
        assert "`hello.wav` of `play` is not there" in found[0].message

    def test_what_is_there_is_no_defect(self, tmp_path):
        for name in ("hello.wav", "loop.wav", "hold.mp3", "wait.ogg"):
            (tmp_path / name).write_bytes(b"sound")
        assert defects(self.FLOW, tmp_path, str(tmp_path / "flow.yaml")) == []

    @pytest.mark.parametrize(("make", "says"), [("folder", "is no file"), ("empty", "is empty")])
    def test_what_cannot_be_played(self, tmp_path, make, says):
        sound = tmp_path / "a.wav"
        sound.mkdir() if make == "folder" else sound.touch()
        [one] = defects("states: {talking: {entry: [{play: a.wav}]}}\n", tmp_path, str(tmp_path / "flow.yaml"))
        assert (one.code, says in one.message) == ("no-such-sound", True)

    @pytest.mark.parametrize(
        ("name", "hint"),
        [
            ("Hold.wav", "did you mean hold.wav?"),
            ("hold.mp3", "did you mean hold.wav?"),
            ("hlod.wav", "did you mean hold.wav?"),
            ("bell.wav", "a sound's file is looked up from the folder of the flow file"),
            ("no/hold.wav", "a sound's file is looked up from the folder of the flow file"),
            ("'https://a.example/hold.wav'", "a sound is a file beside the flow: nothing is fetched from an address"),
            ("hold.ogg", "a sound's file is looked up from the folder of the flow file"),
        ],
    )
    def test_what_is_meant(self, tmp_path, name, hint):
        (tmp_path / "hold.wav").write_bytes(b"sound")
        (tmp_path / "hold.ogg").touch()  # which is empty
        [one] = defects(f"states: {{talking: {{entry: [{{play: {name}}}]}}}}\n", tmp_path, str(tmp_path / "flow.yaml"))
        assert one.hint == hint

    def test_a_flow_without_its_sounds_does_not_load(self, tmp_path):
        (tmp_path / "flow.yaml").write_text(whole(self.FLOW), encoding="utf-8")
        with pytest.raises(Exception, match="no-such-sound"):
            load(tmp_path / "flow.yaml")


class TestWhatIsDeclaredInVain:
    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("vars: {tries: {type: integer, default: 0}}\n", "nothing reads or sets the variable `tries`"),
            ("env: [CRM_KEY]\n", "nothing reads `CRM_KEY`"),
            ("outcomes: [booked]\n", "no list names the outcome `booked`"),
            ("tools: {book: {description: Books.}}\n", "the tool `book` is never offered"),
            ("tools: {look: {own: true}}\n", "no row waits for the agent's own tool `look`"),
            ("tools: {book: {description: Books.}}\non: {tool.*: {do: [{log: x}]}}\n", "the tool `book` is never offered"),
            ("python: {verify: {returns: {ok: boolean}}}\n", "nothing calls the Python action `verify`"),
            ("events: {app.x: {}}\n", "no row waits for `app.x`"),
            ("vars: {a: {type: string, default: x}, b: {type: string, default: y}}\non: {dtmf.1: {do: [{log: '{{ vars.a }}'}]}}\n", "`b`"),
        ],
    )  # fmt: skip
    def test_a_warning(self, text, says):
        [one] = defects(text)
        assert (one.code, one.level) == ("never-used", "warning")
        assert says in one.message

    @pytest.mark.parametrize(
        "text",
        [
            "vars: {n: {type: integer, default: 0}}\non: {dtmf.1: {do: [{set: {n: 1}}]}}\n",
            "vars: {n: {type: integer, default: 0}}\nstates: {talking: {on: {dtmf.1: {target: ending, when: vars.n > 1}}}}\n",
            "vars: {n: {type: string, default: x}}\nagent: {instructions: 'Be kind to {{ vars.n }}.'}\n",
            "vars: {n: {type: string, default: x}}\nstates: {talking: {instructions: 'Call them {{ vars.n }}.', on: {dtmf.1: ending}}}\n",
            "vars: {n: {type: string, default: x}}\nwrap_up: [{log: '{{ vars.n }}'}]\n",
            "env: [URL]\nwrap_up: [{http: {url: '{{ env.URL }}/calls'}}]\n",
            "env: [URL]\ntools: {look: {description: Looks., run: {http: '{{ env.URL }}'}}}\nstates: {talking: {tools: [look]}}\n",
            "outcomes: [booked]\non: {dtmf.1: {do: [{outcome: booked}]}}\n",
            "outcomes: [booked]\nvars: {o: {type: string, default: booked}}\non: {dtmf.1: {do: [{outcome: '{{ vars.o }}'}]}}\n",
            "outcomes: [booked]\nstates: {talking: {on: {dtmf.1: {target: ending, when: call.outcome == 'booked'}}}}\n",
            "python: {verify: {returns: {ok: boolean}}}\ntools: {t: {description: T., run: {python: verify}}}\nstates: {talking: {tools: [t]}}\n",
            "events: {app.x: {}}\non: {app.*: {do: [{log: x}]}}\nsenders: {app.x: [program]}\n",
            "events: {app.x: {}}\non: {dtmf.1: {do: [{emit: app.x}]}}\n",
            "tools: {look: {own: true}}\non: {tool.look: {do: [{log: x}]}}\n",
        ],
    )
    def test_what_is_of_use(self, text):
        assert defects(text) == []

    def test_a_sub_flow_of_no_state_also_where_it_is_the_file_itself(self, tmp_path):
        path = tmp_path / "flow.yaml"
        path.write_text(whole("use: {me: flow.yaml, other: other.yaml}\n"), encoding="utf-8")
        (tmp_path / "other.yaml").write_text(whole("description: Another.\n"), encoding="utf-8")
        found = [one.message for one in check(load(path))]
        assert found == ["no state uses the sub-flow `me`", "no state uses the sub-flow `other`"]

    def test_in_the_file_of_a_sub_flow_it_is_said_there_and_what_the_main_flow_declares_for_it_is_used(self, tmp_path):
        path = tmp_path / "flow.yaml"
        text = "env: [KEY]\nuse: {pin: pin.yaml}\nstates: {talking: {flow: pin, with: {a: x}, on: {done: ending}}}\n"
        path.write_text(whole(text), encoding="utf-8")
        inner = "env: [KEY]\nvars: {a: string, b: {type: string, default: y}}\nstates:\n  talking: {entry: [{say: '{{ env.KEY }} {{ vars.a }}'}], on: {done: over}}\n  over: {final: true}\n"
        (tmp_path / "pin.yaml").write_text(whole(inner), encoding="utf-8")
        [one] = check(load(path))
        assert (one.file, one.line, one.level) == (str(tmp_path / "pin.yaml"), 5, "warning")
        assert "`b`" in one.message


class TestFieldsThatHideTheEvents:
    def test_a_field_called_name_or_time_is_told_of_where_it_is_declared(self):
        found = told(
            "events: {app.a: {time: number}, app.b: {named: string}}\nsenders: {app.a: program, app.b: program}\n"
            "tools: {book: {description: Books., parameters: {name: string, at: string}}, look: {own: true}}\n"
            "states:\n  talking: {tools: [book], on: {tool.book: ending, tool.look: ending, app.a: ending, app.b: ending}}\n"
        )
        assert found == [
            ("hides-the-event", "in the rows of `app.a`, `event.time` is this field, and not when it came"),
            ("hides-the-event", "in the rows of `tool.book`, `event.name` is this field, and not its own name"),
        ]


class TestWaitsThatTheirSilenceCutsOff:
    QUEUE = (
        "initial: queue\nevents: {app.free: {}}\nLIMITS\nstates:\n  queue:\n    ENTRY\n    on: {ROWS}\n"
        "    after: {5m: {target: ending, do: [{say: Nobody is free.}]}}\n"
    )

    def told(self, limits="", entry="entry: []", rows="app.free: ending"):
        return told(self.QUEUE.replace("LIMITS", limits).replace("ENTRY", entry).replace("ROWS", rows))

    @pytest.mark.parametrize(
        ("parts", "seconds"),
        [
            ({}, "2m"),
            ({"limits": "limits: {silence: 4m}"}, "4m"),
            ({"limits": "silence: {40s: ending}"}, "40s"),
            ({"limits": "silence: {40s: {target: ending, when: call.elapsed > 1s}}"}, "2m"),
            ({"entry": "entry: [{say: Please wait.}]"}, "2m"),
            ({"entry": "entry: [{say: Please wait.}]\n    every: {30s: {do: [{say: Please wait.}]}}"}, "2m"),
            ({"rows": "leg.human.answered: ending", "limits": "legs: {human: {identity: ann}}"}, "2m"),
        ],
    )
    def test_told(self, parts, seconds):
        [message] = [message for code, message in self.told(**parts) if code == "silent-wait"]
        assert f"is cut off after {seconds} of silence, before `after: 5m` has its turn" in message

    @pytest.mark.parametrize(
        "parts",
        [
            {"limits": "limits: {silence: 6m}"},
            {"limits": "limits: {silence: none}"},
            {"entry": 'entry: [{play: {file: "{{ env.DIR }}/a.wav", loop: true}}]', "limits": "env: [DIR]"},
            {"entry": "entry: [hold]"},
            {"entry": "entry: [mute]"},
            {"entry": "entry: [{generate_reply: Talk.}]"},
            {"entry": "must_finish: true"},
            {"entry": "instructions: Talk."},
            {"rows": "app.free: ending, dtmf.1: ending"},
            {"limits": "on: {dtmf.0: ending}"},
            {"limits": "silence: {40s: {do: [{say: Are you there?}]}}"},
            {"limits": "silence: {40s: {do: [{log: Silent.}]}}\nlimits: {silence: none}"},
        ],
    )
    def test_none(self, parts):
        assert "silent-wait" not in [code for code, _ in self.told(**parts)]

    def test_not_of_an_end_without_words(self):
        bare = "states: {talking: {on: {app.free: ending}, after: {5m: ending}}}\nevents: {app.free: {}}\n"
        assert "silent-wait" not in [code for code, _ in told(bare)]

    def test_not_where_people_talk(self):
        assert told("states: {talking: {after: {5m: {target: ending, do: [{say: Goodbye.}]}}}}\n") == []
