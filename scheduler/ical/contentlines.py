"""Content lines (RFC 5545 §3.1) of a calendar that anybody may have sent.

icalendar reads some 260 small calendars a second and everything in them; an answer
needs six properties of one event. This reader takes linear time, keeps nothing that
was not asked for, and refuses by count: octets, lines, depth. A test compares it with
icalendar on every message of the matrix.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

LARGEST = 200_000
MOST_LINES = 3000
DEEPEST = 10
MOST_COMPONENTS = 500
MOST_PARAMETERS = 100

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# Doubled line ends come from CRLF text that was converted once more.
_LINE_END = re.compile(rb"\r{0,2}\n|\r")
_FOLD = re.compile(rb"(?:\r{0,2}\n|\r)[ \t]")
_NAME = re.compile(r"[A-Za-z0-9-]+(?=[;:])")
_PARAMETER = re.compile(
    r';([A-Za-z0-9-]+)=((?:"[^"]*"|[^";:,]*)(?:,(?:"[^"]*"|[^";:,]*))*)'
)
_VALUE = re.compile(r'"([^"]*)"|([^",]+)')
_ESCAPED_TEXT = re.compile(r"\\(.)", re.DOTALL)
# RFC 6868 §3
_ESCAPED_PARAMETER = re.compile(r"\^([n'^])")
_CARET = {"n": "\n", "'": '"', "^": "^"}


class NotReadable(Exception):
    """``code`` says why this is no calendar to act upon."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, kw_only=True)
class Property:
    """One line, unfolded. ``value`` is as written: what it means depends on the name.

    ``parameters``: the values by upper-case name, without quotes.
    """

    name: str
    value: str
    parameters: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def text(self) -> str:
        """The value of a TEXT property, unescaped (RFC 5545 §3.3.11)."""
        return unescaped(self.value)

    def parameter(self, name: str) -> str:
        """The first value of a parameter, or nothing."""
        return next(iter(self.parameters.get(name, ())), "")


@dataclass(kw_only=True)
class Component:
    name: str
    properties: list[Property] = field(default_factory=list)
    components: list[Component] = field(default_factory=list)

    def all(self, name: str) -> list[Property]:
        return [one for one in self.properties if one.name == name]

    def single(self, name: str) -> Property | None:
        """The property that may be there once. Two that disagree are no answer."""
        found = self.all(name)
        if len(found) > 1:
            raise NotReadable("repeated_property")
        return found[0] if found else None


def read_components(octets: bytes, *, wanted: frozenset[str]) -> Component:
    """The one VCALENDAR with its components and the ``wanted`` properties of them."""
    tree = _Tree(wanted)
    for line in _lines(octets):
        name, is_end = _delimiter(line)
        if is_end:
            tree.close(name)
        elif name:
            tree.open(name)
        else:
            tree.take(line)
    return tree.whole()


class _Tree:
    """The components read so far; ``path`` are those not closed yet."""

    def __init__(self, wanted: frozenset[str]) -> None:
        self.wanted = wanted
        self.root: Component | None = None
        self.path: list[Component] = []
        self.count = 0

    def open(self, name: str) -> None:
        self.count += 1
        if len(self.path) >= DEEPEST or self.count > MOST_COMPONENTS:
            raise NotReadable("calendar_too_deep")
        component = Component(name=name)
        if self.path:
            self.path[-1].components.append(component)
        elif self.root is not None:
            raise NotReadable("several_calendars")
        elif name != "VCALENDAR":
            raise NotReadable("not_a_calendar")
        else:
            self.root = component
        self.path.append(component)

    def close(self, name: str) -> None:
        if not self.path or self.path.pop().name != name:
            raise NotReadable("broken_calendar")

    def take(self, line: str) -> None:
        if not self.path:
            raise NotReadable("broken_calendar" if self.root else "not_a_calendar")
        read = _property(line, wanted=self.wanted)
        if read is not None:
            self.path[-1].properties.append(read)

    def whole(self) -> Component:
        if self.root is None:
            raise NotReadable("not_a_calendar")
        if self.path:
            raise NotReadable("broken_calendar")
        return self.root


def unescaped(text: str) -> str:
    return _ESCAPED_TEXT.sub(lambda found: "\n" if found[1] in "nN" else found[1], text)


def _lines(octets: bytes) -> Iterator[str]:
    """Unfolded as octets: some fold in the middle of a character (RFC 5545 §3.1)."""
    if len(octets) > LARGEST:
        raise NotReadable("calendar_too_large")
    if b"\0" in octets:
        raise NotReadable("not_a_calendar")
    if octets.count(b"\n") + octets.count(b"\r") > 2 * MOST_LINES:
        raise NotReadable("calendar_too_large")
    unfolded = _FOLD.sub(b"", octets.removeprefix(_BYTE_ORDER_MARK))
    lines = [line for line in _LINE_END.split(unfolded) if line.strip()]
    if len(lines) > MOST_LINES:
        raise NotReadable("calendar_too_large")
    return (_decoded(line) for line in lines)


def _decoded(line: bytes) -> str:
    """What is no UTF-8 is read as what most wrong labels hide."""
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace")


def _delimiter(line: str) -> tuple[str, bool]:
    """The component that the line opens or closes, and which of the two."""
    start = line[:6].upper()
    if start == "BEGIN:":
        return line[6:].strip().upper(), False
    return (line[4:].strip().upper(), True) if start[:4] == "END:" else ("", False)


def _property(line: str, *, wanted: frozenset[str]) -> Property | None:
    """The property, if it is wanted and well formed; what is not says nothing."""
    named = _NAME.match(line)
    if named is None or named[0].upper() not in wanted:
        return None
    parameters: dict[str, tuple[str, ...]] = {}
    at = named.end()
    while line[at : at + 1] == ";":
        found = _PARAMETER.match(line, at)
        if found is None or len(parameters) >= MOST_PARAMETERS:
            return None
        parameters.setdefault(found[1].upper(), _values(found[2]))
        at = found.end()
    if line[at : at + 1] != ":":
        return None
    return Property(name=named[0].upper(), value=line[at + 1 :], parameters=parameters)


def _values(written: str) -> tuple[str, ...]:
    return tuple(
        _ESCAPED_PARAMETER.sub(lambda caret: _CARET[caret[1]], quoted or bare)
        for quoted, bare in _VALUE.findall(written)
    )
