"""MIME (RFC 2045, 2046) of a message that anybody may have sent, read within bounds.

The standard library's parser recurses into nested parts, looks at every line once for
each level, and its header classes are quadratic or worse (50,000 encoded words in a
subject take half a minute). This reader splits by position, counts before it goes on,
and decodes nothing that is not asked for. A test compares it with the library's
compat32 parser on every message of the matrix.
"""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass

LARGEST_HEADERS = 64_000
LARGEST_HEADER = 8_000
MOST_PARTS = 100
DEEPEST = 20

_FIELD = re.compile(rb"([!-9;-~]+):[ \t]*([^\n]*(?:\n[ \t][^\n]*)*)(?:\n|\Z)")
_TYPE = re.compile(r"\s*([\w.+-]+/[\w.+-]+)\s*(?:;|\Z)", re.ASCII)
_PARAMETER = re.compile(
    r";\s*([\w!#$%&'*+.^`{|}~-]+)\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s;\"]*))",
    re.ASCII | re.DOTALL,
)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
_BOUNDARY_LIMIT = 200
_REST_OF_DELIMITER = re.compile(rb"(--)?[ \t]*(?=\n|\Z)")

_BLANKS = b" \t\n\r\v\f"
_BROKEN_QUOTING = re.compile(rb"=(?![0-9A-Fa-f]{2}|[ \t]*(?:\n|\Z))")
_AS_IS = frozenset({"", "7bit", "8bit", "binary"})

# Content lines are ASCII with words in between; these are its supersets, and UTF-16.
# Codecs such as utf-7, idna or rot13 would read one text as another.
_CHARSETS = frozenset(
    {"iso-8859-1", "iso-8859-2", "iso-8859-15", "latin-1", "latin1", "windows-1250",
     "windows-1252", "cp1252", "macintosh", "utf-16", "utf-16le", "utf-16be"}
)  # fmt: skip


class NotReadable(Exception):
    """``code`` says which bound was passed, or what was wrong."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Headers:
    """Fields in their order. Names are lower case, values unfolded and not decoded."""

    fields: tuple[tuple[str, str], ...]

    def all(self, *names: str) -> list[str]:
        return [value for name, value in self.fields if name in names]

    def first(self, name: str) -> str:
        for known, value in self.fields:
            if known == name:
                return value
        return ""

    def word(self, name: str) -> str:
        """The value up to its parameters, in lower case."""
        return self.first(name).partition(";")[0].strip().lower()


@dataclass(frozen=True)
class Part:
    """A part that is read no further: text, an attachment, a message in the message."""

    kind: str
    headers: Headers
    body: bytes

    def parameter(self, name: str) -> str:
        return parameter(self.headers.first("content-type"), name)

    def decoded(self) -> bytes:
        """The octets behind the transfer encoding. Strict: a lie is no content."""
        encoding = self.headers.word("content-transfer-encoding")
        if encoding in _AS_IS:
            return self.body
        if encoding == "base64":
            return _from_base64(self.body)
        if encoding != "quoted-printable" or _BROKEN_QUOTING.search(self.body):
            raise NotReadable("bad_encoding")
        return quopri.decodestring(self.body)

    def utf8(self) -> bytes:
        """The text as UTF-8, as far as its label can be believed.

        What is labelled UTF-8, ASCII, or as something unknown is left as it is:
        programs label wrongly, and what counts in a calendar is ASCII.
        """
        octets = self.decoded()
        charset = self.parameter("charset").strip().lower()
        if charset not in _CHARSETS:
            return octets
        return octets.decode(charset, "replace").encode()

    def front(self, limit: int) -> str:
        """The first words, for a person to look at: as well as they can be read."""
        encoding = self.headers.word("content-transfer-encoding")
        octets = self.body[:limit]
        if encoding == "quoted-printable":
            octets = quopri.decodestring(octets)
        elif encoding == "base64":
            whole = octets.translate(None, _BLANKS)
            octets = _from_base64(whole[: len(whole) // 4 * 4])
        charset = self.parameter("charset").strip().lower()
        if charset in _CHARSETS:
            return octets.decode(charset, "replace")
        # A character may be cut in two at the end: that is no wrong label.
        words = octets.decode("utf-8", "replace")
        wrong = "\N{REPLACEMENT CHARACTER}" in words[:-1]
        return octets.decode("cp1252", "replace") if wrong else words


def line_ends(octets: bytes) -> bytes:
    """LF alone. Some programs double the CR; a lone one is an old line end."""
    once = octets.replace(b"\r\n", b"\n")
    return once.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def headers_of(block: bytes) -> tuple[Headers, int]:
    """The header fields at the front, and where the body begins."""
    at = block.find(b"\n") + 1 if block.startswith(b"From ") else 0
    fields: list[tuple[str, str]] = []
    while at < len(block):
        limit = at + LARGEST_HEADER
        found = _FIELD.match(block, at, limit)
        if found is None:
            break
        if found.end() >= limit and limit < len(block):
            raise NotReadable("header_too_large")
        at = found.end()
        if at > LARGEST_HEADERS:
            raise NotReadable("headers_too_large")
        fields.append((found[1].decode("ascii").lower(), _unfolded(found[2])))
    if block[at : at + 1] == b"\n":
        at += 1
    return Headers(tuple(fields)), at


def parts_of(headers: Headers, body: bytes) -> Iterator[Part]:
    """Every part that holds no other, in order; messages in it stay closed."""
    waiting = [(headers, body, 0)]
    count = 0
    while waiting:
        headers, body, depth = waiting.pop()
        count += 1
        if count > MOST_PARTS:
            raise NotReadable("too_many_parts")
        if depth > DEEPEST:
            raise NotReadable("too_deep")
        kind = content_type(headers)
        inside = _split(headers, body) if kind.startswith("multipart/") else []
        if not inside:
            yield Part(kind, headers, body)
        for block in reversed(inside):
            its_headers, at = headers_of(block)
            waiting.append((its_headers, block[at:], depth + 1))


def content_type(headers: Headers) -> str:
    """RFC 2045 §5.2: plain text where nothing, or nothing sensible, is said."""
    found = _TYPE.match(headers.first("content-type"))
    return found[1].lower() if found is not None else "text/plain"


def parameter(value: str, name: str) -> str:
    """A parameter of a header, the first of that name."""
    for found in _PARAMETER.finditer(value):
        if found[1].lower() == name:
            return _QUOTED_PAIR.sub(r"\1", found[2]) if found[2] else found[3] or ""
    return ""


def _unfolded(value: bytes) -> str:
    """The value on one line. A NUL is no character that a database would take."""
    octets = value.replace(b"\n", b"").replace(b"\0", b"?").strip()
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def _split(headers: Headers, body: bytes) -> list[bytes]:
    """The parts between the delimiter lines; nothing if there are none.

    The last one may lack its end: a message that was cut shows in what was cut.
    """
    boundary = parameter(headers.first("content-type"), "boundary").rstrip()
    if not boundary or len(boundary) > _BOUNDARY_LIMIT:
        return []
    # With a line end before the first line, the search can look for fixed octets.
    body = b"\n" + body
    blocks: list[bytes] = []
    start: int | None = None
    for begins, ends, is_last in _delimiters(b"\n--" + boundary.encode(), body):
        if start is not None:
            blocks.append(body[start:begins])
        if len(blocks) > MOST_PARTS:
            raise NotReadable("too_many_parts")
        start = None if is_last else ends + 1
        if is_last:
            break
    if start is not None:
        blocks.append(body[start:])
    return blocks


def _delimiters(wanted: bytes, body: bytes) -> Iterator[tuple[int, int, bool]]:
    """Where the delimiter lines begin and end, and which one is said to be the last.

    Every mail has a boundary of its own: a pattern for it would be used once.
    """
    begins = body.find(wanted)
    while begins >= 0:
        rest = _REST_OF_DELIMITER.match(body, begins + len(wanted))
        at = begins + 1 if rest is None else rest.end()
        if rest is not None:
            yield begins, at, bool(rest[1])
        begins = body.find(wanted, at)


def _from_base64(body: bytes) -> bytes:
    try:
        return base64.b64decode(body.translate(None, _BLANKS), validate=True)
    except (binascii.Error, ValueError) as wrong:
        raise NotReadable("bad_encoding") from wrong
