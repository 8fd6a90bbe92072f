"""http: where a request goes is the flow's own, what is rendered into it leads nowhere else, and no answer is trusted."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from urllib.parse import parse_qsl, quote, unquote

import aiohttp
import pytest

import callflow
from callflow.core.expressions import TEXT, Context, EvaluationError, ExpressionError, Names, Record, compile_address
from callflow.core.snapshot import Start
from callflow.errors import EffectError, FlowFileError
from callflow.livekit_bindings.verbs import outside
from callflow.livekit_bindings.web import LARGEST_BODY, Request, refuse

NAMES = Names(event=None, vars=Record({"x": TEXT}), env=Record({"BASE": TEXT, "HOST": TEXT}))
ENV = {"BASE": "https://shop.example/v1", "HOST": "shop.example"}

HOSTILE = [
    "../admin", "..\\admin", "/admin", "//evil.example/", "?admin=1", "#admin", "a@evil.example", "a&admin=1", "a=b;c", "%2e%2e/admin",
    "\r\nX-Admin: 1", "\x00", "grüß 漢字", "a b+c", "\ud800", ".../x",
]  # fmt: skip


def address(source, **variables):
    return compile_address(source, NAMES).evaluate(Context(vars=variables, env=ENV))


@pytest.fixture
async def service():
    """A server on 127.0.0.1 that answers as it is told, byte by byte; yields a function that requests something of it."""
    asked, answers = [], {}

    async def serve(reader, writer):
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            length = next(
                (int(line[15:]) for line in head.split("\r\n") if line.lower().startswith("content-length:")), 0
            )
            asked.append((*head.split(" ", 2)[:2], head.lower(), (await reader.readexactly(length)).decode()))
            answer = answers.get(
                head.split(" ", 2)[1].partition("?")[0], b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
            )
            writer.write(answer)
            await writer.drain()
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def ask(path="/", answer=None, **arguments):
        if answer is not None:
            answers[path.partition("?")[0]] = answer.replace(b"BASE", base.encode())
        url = arguments.pop("url", base + path)
        return await outside.http(None, Start(1, "http", {"url": url, **arguments}, 10.0))

    ask.asked, ask.answers, ask.base = asked, answers, base
    yield ask
    server.close()
    await server.wait_closed()


def packed(body, kind="text/plain", **headers):
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{lines}\r\n"
    return head.encode() + body


def redirect(to, status=302):
    return f"HTTP/1.1 {status} Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode()


# -- where it goes


@pytest.mark.parametrize(
    "source",
    [
        "{{ vars.x }}", "{{ vars.x }}/orders", "https://{{ vars.x }}/orders", "https://{{ vars.x }}.example.com/", "https://example.com{{ vars.x }}",
        "https://example.com:{{ vars.x }}/", "https://{{ vars.x }}@example.com/", "{{ vars.x }}://example.com/", "{{ env.BASE }}{{ vars.x }}",
        "https://{{ env.HOST }}{{ vars.x }}/", "http{{ vars.x }}://example.com/", "{{ call.number }}/x", "{{ env.BASE + vars.x }}/a",
        "{{ default(vars.x, 'https://example.com') }}/a",
    ],
)  # fmt: skip
def test_who_is_asked_is_never_a_rendered_value(source):
    names = Names(event=None, vars=NAMES.vars, env=NAMES.env, call=Record({"number": TEXT}))
    with pytest.raises(ExpressionError) as error:
        compile_address(source, names)
    assert {problem.code for problem in error.value.problems} == {"bad-address"}


@pytest.mark.parametrize(
    "source", ["ftp://x/y", "example.com/x", "/x", "https://", "https:///x", "//example.com", "mailto:a@b.example"]
)
def test_an_address_is_whole(source):
    with pytest.raises(ExpressionError, match="begins with http"):
        compile_address(source, NAMES)


def test_an_address_of_env_is_written_as_it_is():
    assert address("{{ env.BASE }}/orders") == "https://shop.example/v1/orders"
    assert address("https://{{ env.HOST }}/orders") == "https://shop.example/orders"
    assert address(" {{ env.BASE }} ") == "https://shop.example/v1"
    assert address(" https://example.com/a b?c ") == "https://example.com/a b?c"
    for broken in ("", "shop.example", "file:///etc/passwd", "https:///x"):
        with pytest.raises(EvaluationError, match="begins with http"):
            compile_address("{{ env.BASE }}/x", NAMES).evaluate(Context(vars={}, env={"BASE": broken}))


@pytest.mark.real_time
@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize(
    "place",
    ["/orders/{{ vars.x }}", "/orders/{{ vars.x }}/lines?a=b", "/orders?id={{ vars.x }}&kind=1", "/o?a={{ vars.x }}#b"],
)
async def test_a_rendered_value_stays_where_it_was_written(service, value, place):
    """Read as a server reads it: one segment, or one value of the query, and no header more."""
    template = compile_address("{{ env.BASE }}" + place, NAMES)
    await service(url=template.evaluate(Context(vars={"x": value}, env={"BASE": service.base})))
    [(_, target, head, _)] = service.asked
    path, _, query = target.partition("?")
    as_written, _, asked_with = place.partition("#")[0].partition("?")
    came = value.encode(errors="replace").decode()
    whole = "{{ vars.x }}"
    assert [unquote(one) for one in path.split("/")] == [one.replace(whole, came) for one in as_written.split("/")]
    expected = [tuple(one.replace(whole, came) for one in pair.split("=")) for pair in asked_with.split("&") if pair]
    assert parse_qsl(query) == expected
    assert "\r\nx-admin" not in head


DELIMITERS = "".join(chr(code) for code in range(1, 127) if not chr(code).isalnum()) + "%3B%2e%2E%00%"


@pytest.mark.real_time
@pytest.mark.parametrize("value", [*DELIMITERS.replace(".", ""), DELIMITERS, *HOSTILE])
async def test_a_rendered_value_arrives_as_it_was_encoded(service, value):
    """Byte by byte: no `%3B` becomes a `;` on its way, at which a server would cut the segment off."""
    template = compile_address("{{ env.BASE }}/o/{{ vars.x }}/p?id={{ vars.x }}&kind=1", NAMES)
    await service(url=template.evaluate(Context(vars={"x": value}, env={"BASE": service.base})))
    written = quote(value, safe="", errors="replace")
    assert service.asked[0][1] == f"/o/{written}/p?id={written}&kind=1"


@pytest.mark.real_time
async def test_what_the_flow_writes_arrives_as_it_is_written(service):
    for written, arrives in {
        "/a%3Bb;c=d/%2e%2E/%2F%zz?q=%26&r=+%20%C3%BC#f": "/a%3Bb;c=d/%2e%2E/%2F%25zz?q=%26&r=+%20%C3%BC",
        "/a b/\u00fc?\u00fc=a b": "/a%20b/%C3%BC?%C3%BC=a%20b",
        "/a//b/./../c/..": "/a//",
        "/../..": "/",
        "": "/",
        "?a=/../b": "/?a=/../b",
    }.items():
        await service(url=service.base + written)
        assert service.asked[-1][1] == arrives


@pytest.mark.parametrize("value", [".", "..", "..;", "..;a=b", ""])
@pytest.mark.parametrize(
    "place", ["/a/{{ vars.x }}", "/a/{{ vars.x }}/b", "/{{ vars.x }}?c", "/a/{{ vars.x }}{{ env.NONE }}"]
)
def test_a_rendered_dot_that_no_encoding_hides_is_refused(value, place):
    names = Names(event=None, vars=NAMES.vars, env=Record({"BASE": TEXT, "NONE": TEXT}))
    with pytest.raises(EvaluationError, match="lead to another path"):
        compile_address("https://example.com" + place, names).evaluate(Context(vars={"x": value}, env={"NONE": ""}))


def test_a_flow_that_lets_a_caller_say_where_a_request_goes_is_refused():
    text = """
callflow: 1
name: where
vars: {x: {type: string, default: a}}
initial: talking
states:
  talking:
    entry:
      - {http: "https://{{ vars.x }}/a"}
      - {http: {url: https://example.com, headers: {Host: "{{ vars.x }}", "a b": c}}}
"""
    with pytest.raises(FlowFileError) as error:
        callflow.loads(text)
    assert [(one.code, one.line) for one in error.value.defects] == [
        ("bad-address", 9),
        ("bad-address", 10),
        ("bad-address", 10),
    ]


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254", "169.254.170.2", "metadata.google.internal", "METADATA.google.internal.", "metadata", "[fd00:ec2::254]", "2852039166",
        "0xA9FEA9FE", "0251.0376.0251.0376", "169.254.43518", "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "[64:ff9b::a9fe:a9fe]",
        "[2002:a9fe:a9fe::1]", "[::169.254.169.254]", "[64:ff9b:1::a9fe:a9fe]", "[::ffff:0:a9fe:a9fe]", "[fe80::a9fe:a9fe%25eth0]", "100.100.100.200", "user@169.254.169.254", "169.254.169.254.", "１６９.254.169.254",
    ],
)  # fmt: skip
@pytest.mark.real_time
async def test_a_clouds_secrets_are_asked_for_by_nobody(host):
    with pytest.raises(EffectError, match="secrets"):
        await outside.http(None, Start(1, "http", {"url": f"http://{host}/latest/meta-data"}, 10.0))


@pytest.mark.real_time
async def test_a_name_that_leads_to_a_clouds_secrets_is_refused(monkeypatch):
    async def resolve(self, host, port=0, family=0):
        return [{"hostname": host, "host": "169.254.169.254", "port": port, "family": 2, "proto": 6, "flags": 0}]

    monkeypatch.setattr(aiohttp.ThreadedResolver, "resolve", resolve)
    with pytest.raises(EffectError, match="secrets"):
        await outside.http(None, Start(1, "http", {"url": "http://innocent.example/"}, 10.0))


def test_other_addresses_are_no_secret():
    for host in ("127.0.0.1", "10.0.0.1", "example.com", "::1", "192.168.1.1", "metadata.example.com"):
        refuse(host)


# -- redirects


@pytest.mark.real_time
@pytest.mark.parametrize(
    "to",
    [
        "http://127.0.0.2:9/x",
        "//127.0.0.2/x",
        "https://127.0.0.1/x",
        "http://localhost:1/",
        "ftp://127.0.0.1/",
        "http://[",
    ],
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_nothing_is_sent_to_another_origin(service, to, status):
    with pytest.raises(EffectError, match=r"another origin|leads nowhere"):
        await service("/a", redirect(to, status), method="POST", json={"pin": 1}, headers={"Authorization": "secret"})
    assert len(service.asked) == 1


@pytest.mark.real_time
@pytest.mark.parametrize(
    ("status", "method", "body"),
    [(302, "GET", ""), (303, "GET", ""), (307, "POST", '{"a": 1}'), (308, "POST", '{"a": 1}')],
)
async def test_a_redirect_within_the_origin_is_followed(service, status, method, body):
    for to in ("/b", "BASE/b", "b", "x/../b", "../../b", "/b#c"):
        assert (await service("/a", redirect(to, status), method="POST", json={"a": 1}))["body"] == "ok"
        assert (service.asked[-1][0], service.asked[-1][1], service.asked[-1][3]) == (method, "/b", body)


@pytest.mark.real_time
async def test_a_redirect_is_followed_as_it_is_written(service):
    for to in ("/b%3Bc?d=%26", "//BASE/b%3Bc?d=%26", "b%3Bc?d=%26"):
        await service("/a", redirect(to.replace("//BASE", service.base.removeprefix("http:"))))
        assert service.asked[-1][1] == "/b%3Bc?d=%26"
    default = Request.to("http://user:pw@example.com/a", "GET", {}, None)
    assert str(default.redirected(302, "http://EXAMPLE.com:80/b").url) == "http://example.com/b"
    assert str(default.redirected(302, "b").url) == "http://user:pw@example.com/b"


@pytest.mark.real_time
async def test_redirects_without_end_end(service):
    with pytest.raises(EffectError, match="led on more than 5 times"):
        await service("/a", redirect("/a"))
    assert (await service("/a", redirect("http://127.0.0.2/"), expect=[302])) == {"status": 302, "body": ""}


# -- what is answered


@pytest.mark.real_time
@pytest.mark.parametrize("charset", ["x-unknown", "base64", "rot13", "undefined", "idna", "\x00", '"', "utf-8"])
async def test_an_unknown_charset_costs_nothing(service, charset):
    answer = await service(
        "/", packed("gr\u00fc\u00df".encode(), f"text/plain; charset={charset}".replace("\x00", "%00"))
    )
    assert answer["status"] == 200
    assert "gr" in answer["body"]


@pytest.mark.real_time
async def test_answers_that_are_packed(service):
    text = b'{"a": 1}'
    raw = zlib.compressobj(wbits=-15)
    for name, body in {
        "gzip": gzip.compress(text), "deflate": zlib.compress(text), "Deflate": raw.compress(text) + raw.flush(), "identity": text
    }.items():  # fmt: skip
        assert (await service("/", packed(body, "application/json", Content_Encoding=name)))["body"] == {"a": 1}
    assert (await service("/", packed(b"\xef\xbb\xbf" + text, "application/json")))["body"] == {"a": 1}


@pytest.mark.real_time
@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (packed(gzip.compress(b"0" * 50_000_000), Content_Encoding="gzip"), "is larger than"),
        (packed(b"0" * (LARGEST_BODY + 1)), "is larger than"),
        (packed(gzip.compress(b"0" * 1000)[:-9], Content_Encoding="gzip"), "in its middle"),
        (packed(b"nothing packed", Content_Encoding="gzip"), "no answer"),
        (packed(b"x", Content_Encoding="br"), "nobody has asked for"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "no answer from GET 127.0.0.1"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nabc", "no answer from GET 127.0.0.1"),
        (b"nothing like HTTP\r\n\r\n", "no answer from GET 127.0.0.1"),
        (b"", "no answer from GET 127.0.0.1"),
        (packed(b"[" * 100_000, "application/json"), "calls itself JSON"),
        (packed(b'{"a": NaN}', "application/json"), "calls itself JSON"),
        (packed(b'{"a": -1e999}', "application/json"), "beyond all numbers"),
        (packed(b"[" * 65 + b"]" * 65, "application/json"), "more than 64 levels"),
    ],
)
async def test_an_answer_that_is_none_is_a_failure_that_names_nothing_private(service, answer, said):
    with pytest.raises(EffectError, match=said) as error:
        await service("/orders/4711?pin=1234", answer)
    assert "4711" not in str(error.value)
    assert "1234" not in str(error.value)


@pytest.mark.real_time
async def test_what_is_nested_as_deep_as_may_be_is_taken(service):
    found = (await service("/", packed(b"[" * 64 + b"]" * 64, "application/json")))["body"]
    assert str(found) == "[" * 64 + "]" * 64


@pytest.mark.real_time
async def test_no_body_is_no_broken_json(service):
    assert (await service("/", packed(b"", "application/json")))["body"] == ""
    assert (await service("/", packed(b"", "application/json; x=y"), method="HEAD"))["body"] == ""


@pytest.mark.real_time
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"json": ["x" * 100_000] * 11}, "body of the request is larger"),
        ({"json": {"a": float("nan")}}, "nothing that JSON can hold"),
        ({"headers": {"x-note": "a\r\nX-Admin: 1"}}, "x-note.*line break"),
        ({"headers": {"x-note": "a\x00"}}, "x-note.*control character"),
        ({"url": "http://127.0.0.1\r\n:9/"}, "no host"),
        ({"url": "http://"}, "no host|is none"),
        ({"url": "http://[::1/"}, "is none"),
        ({"url": "http://127.0.0.1:99999/"}, "is none"),
    ],
)
async def test_a_request_that_cannot_be_sent_is_not(service, arguments, said):
    with pytest.raises(EffectError, match=said):
        await service("/", method="POST", **arguments)
    assert service.asked == []


def test_a_requests_name_holds_nothing_private():
    named = Request.to("https://user:secret@example.com?pin=1234", "GET", {}, None)
    assert named.name == "GET example.com"
    assert Request.to("http://[::1]:8080/a", "GET", {}, None).name == "GET [::1]:8080"


@pytest.mark.real_time
async def test_cookies_and_credentials_are_kept_by_nobody(service):
    await service("/", packed(b"ok", Set_Cookie="session=1"))
    await service("/")
    assert "cookie" not in service.asked[1][2]
