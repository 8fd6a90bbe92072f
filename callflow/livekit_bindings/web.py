"""One HTTP request of a flow, by a client that trusts nobody: not the answer, not its size, not where it would send us.

Each request has a client of its own, with no cookies and no connection of another's: the job's may be closed while the call
still ends. Redirects are followed within the origin alone. Addresses at which a cloud tells its machines their secrets are
refused where the connection is made, so that no name, spelling or redirect leads there.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import zlib
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from attrs import evolve, frozen
from livekit.agents import get_job_context
from multidict import CIMultiDict
from yarl import URL

from callflow.errors import EffectError
from callflow.livekit_bindings import livekit_internals

LARGEST_BODY = 1_000_000
"""Bytes of a request's body, and of an answer's, unpacked; a larger one is a failure."""

MOST_REDIRECTS = 5
"""As RFC 2068, 10.3, has it; RFC 9110, 15.4, only asks that a client notices a circle."""

REDIRECTS = frozenset({301, 302, 303, 307, 308})

_PACKED = "gzip, deflate"
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

_BLANK = re.compile(r"[\x00-\x1f\x7f]")

_LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_IN_PATH = "/%:@!$&'()*+,;=~"
_IN_QUERY = _IN_PATH + "?"

_METADATA_NAMES = frozenset({
    "metadata", "metadata.google.internal", "metadata.goog", "instance-data", "instance-data.ec2.internal",
})  # fmt: skip
_METADATA = tuple(
    map(
        ipaddress.ip_network,
        (
            "169.254.0.0/16", "fe80::/10",  # link-local: AWS, Google, Azure, Oracle, DigitalOcean …
            "fd00:ec2::/32", "fd20:ce::/32",  # AWS and Google, IPv6
            "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32",  # Alibaba, Azure, Oracle
        ),
    )
)  # fmt: skip
_IPV4_INSIDE = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "::ffff:0:0:0/96", "::/96")))


@frozen
class Request:
    """What is asked of whom. `name` says it without path, query and credentials, which may hold private data."""

    url: URL
    method: str
    headers: Mapping[str, str]
    body: bytes | None
    name: str

    @classmethod
    def to(cls, address: str, method: str, headers: Mapping[str, str], body: bytes | None) -> Request:
        """Raises EffectError where it cannot be sent."""
        if not address.lower().startswith(("http://", "https://")):
            raise EffectError("http takes an address that begins with http:// or https://")
        try:
            url = _as_written(address)
            port = url.port
        except ValueError:
            raise EffectError("the address of the request is none") from None
        if not url.host or _BLANK.search(address) or "\\" in url.authority:
            raise EffectError("the address of the request has no host")
        for name, value in headers.items():
            if _CONTROL.search(value) or _CONTROL.search(name):
                raise EffectError(f"the header {name!r:.40} holds a line break or another control character")
        if body is not None and len(body) > LARGEST_BODY:
            raise EffectError(f"the body of the request is larger than {LARGEST_BODY} bytes")
        host = f"[{url.host}]" if ":" in url.host else url.host
        name = f"{method} {host}" if url.is_default_port() else f"{method} {host}:{port}"
        return cls(url, method, headers, body, name)

    def redirected(self, status: int, location: str) -> Request:
        """Where an answer leads. Raises EffectError where that is another origin."""
        try:
            url = _as_written(urljoin(str(self.url), location))
            same = (url.scheme, url.host, url.port) == (self.url.scheme, self.url.host, self.url.port)
        except ValueError:
            raise EffectError(f"{self.name} answered {status}, which leads nowhere") from None
        if not same:
            raise EffectError(f"{self.name} answered {status}, which leads to another origin: nothing is sent there")
        if status == 303 or (status in (301, 302) and self.method == "POST"):
            method = "HEAD" if self.method == "HEAD" else "GET"
            return evolve(self, url=url, method=method, body=None)
        return evolve(self, url=url)


def _as_written(address: str) -> URL:
    """The address, with what is encoded in it left as it is: yarl would decode `%3B`, and make a delimiter of what was none.
    Raises ValueError."""
    parts, url = urlsplit(address), URL(address)
    path, query = (
        quote(_LONE_PERCENT.sub("%25", text), safe=safe, errors="replace")
        for text, safe in ((_without_dots(parts.path), _IN_PATH), (parts.query, _IN_QUERY))
    )
    return URL.build(scheme=url.scheme, authority=url.raw_authority, path=path, query_string=query, encoded=True)


def _without_dots(path: str) -> str:
    """RFC 3986, 5.2.4."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for last, segment in enumerate(segments, 1 - len(segments)):
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
        if last == 0 and segment in (".", ".."):
            kept.append("")
    return "/" + "/".join(kept)


@frozen
class Answer:
    status: int
    content_type: str
    charset: str | None
    body: bytes

    def text(self) -> str:
        """In its own charset, or else in UTF-8, with a mark for what is none."""
        for charset in (self.charset or "utf-8-sig", "utf-8-sig"):
            try:
                return self.body.decode(charset, errors="replace").removeprefix("\ufeff")
            except (LookupError, ValueError):  # it is no charset
                continue
        return ""


async def fetch(request: Request, *, wanted: frozenset[int] = frozenset()) -> Answer:
    """The answer, after redirects within the origin; one with a status in `wanted` is where it ends. Unbounded in time: the
    effect's timeout bounds it. Raises EffectError, which says nothing of the address but its host."""
    try:
        async with _client() as client:
            for _ in range(MOST_REDIRECTS + 1):
                answer, location = await _ask(client, request)
                if answer.status not in REDIRECTS or answer.status in wanted or location is None:
                    return answer
                request = request.redirected(answer.status, location)
    except (aiohttp.ClientError, OSError, ValueError, zlib.error) as error:
        raise EffectError(f"no answer from {request.name}: {_why(error)}") from error
    raise EffectError(f"{request.name} led on more than {MOST_REDIRECTS} times")


def _client() -> aiohttp.ClientSession:
    try:
        proxy = get_job_context().proc.http_proxy
    except (RuntimeError, AttributeError):
        proxy = None
    connector = aiohttp.TCPConnector(
        resolver=_Resolver(), ssl=livekit_internals.ssl_context(), use_dns_cache=False, force_close=True
    )
    return aiohttp.ClientSession(
        connector=connector,
        proxy=proxy,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),
        auto_decompress=False,  # which unpacks without a bound
        headers={"Accept-Encoding": _PACKED},
    )


async def _ask(client: aiohttp.ClientSession, request: Request) -> tuple[Answer, str | None]:
    refuse(request.url.raw_host or "")
    headers = CIMultiDict(request.headers)
    if request.body is not None:
        headers.setdefault("Content-Type", "application/json")
    async with client.request(
        request.method, request.url, headers=headers, data=request.body, allow_redirects=False
    ) as answer:
        body = b"" if answer.status in REDIRECTS else await _body(answer, request)
        return Answer(answer.status, answer.content_type, answer.charset, body), answer.headers.get("Location")


async def _body(answer: aiohttp.ClientResponse, request: Request) -> bytes:
    found = bytearray()
    async for piece in _unpacked(answer, request):
        found += piece
        if len(found) > LARGEST_BODY:
            raise EffectError(f"the answer to {request.name} is larger than {LARGEST_BODY} bytes")
    return bytes(found)


async def _unpacked(answer: aiohttp.ClientResponse, request: Request) -> AsyncIterator[bytes]:
    """Its body in pieces, never more of it unpacked than is wanted."""
    packing = answer.headers.get("Content-Encoding", "identity").strip().lower()
    if packing not in ("", "identity", "gzip", "x-gzip", "deflate"):
        raise EffectError(f"the answer to {request.name} is packed in a way that nobody has asked for")
    unpack = None if packing in ("", "identity") else zlib.decompressobj(zlib.MAX_WBITS | 32)
    first = True
    async for raw in answer.content.iter_chunked(65_536):
        if unpack is None:
            yield raw
            continue
        if first and packing == "deflate" and raw[0] & 0x0F != 8:  # without the header that zlib gives it
            unpack = zlib.decompressobj(-zlib.MAX_WBITS)
        first = False
        yield unpack.decompress(raw, LARGEST_BODY + 1)
    if unpack is not None and not first and not unpack.eof:
        raise EffectError(f"the answer to {request.name} ends in its middle")


def _why(error: Exception) -> str:
    """What went wrong, without the address and what was answered, which may hold private data."""
    if isinstance(error, (aiohttp.ClientResponseError, aiohttp.ClientPayloadError)):
        return "what came is no HTTP, or ends in its middle"
    if isinstance(error, aiohttp.InvalidURL):
        return "the address is none"
    if isinstance(error, (aiohttp.ClientError, OSError)):
        return str(error) or type(error).__name__
    return type(error).__name__


# -- where no request goes


class _Resolver(AbstractResolver):
    """The system's, without the addresses at which a cloud keeps its secrets: what is looked up is what is connected to."""

    def __init__(self) -> None:
        self._system = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._system.resolve(host, port, family)
        for one in found:
            refuse(one["host"])
        return found

    async def close(self) -> None:
        await self._system.close()


def refuse(host: str) -> None:
    """Raises EffectError for a name or address of a cloud's metadata."""
    host = host.rstrip(".").lower()
    if host in _METADATA_NAMES or _is_metadata(host):
        raise EffectError("that is an address at which a cloud tells its machines their secrets: no flow goes there")


def _is_metadata(host: str) -> bool:
    try:
        address: Any = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        try:
            address = ipaddress.IPv4Address(socket.inet_aton(host))  # 2852039166, 0xa9.0xfe.43518 …
        except (OSError, ValueError):
            return False  # a name
    inside = []
    if address.version == 6:
        inside = [one for one in (address.ipv4_mapped, address.sixtofour) if one is not None]
        if any(address in network for network in _IPV4_INSIDE):
            inside.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return any(one in network for one in (address, *inside) for network in _METADATA if one.version == network.version)
