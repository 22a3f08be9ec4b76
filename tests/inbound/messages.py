"""The messages of the matrix as octets; README.md says how they are written."""

import base64
import csv
import quopri
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from scheduler.domain.verdict import KnownInvitation

HERE = Path(__file__).resolve().parent
MESSAGES = HERE / "messages"

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SERVER = "mx.campus.example"

FILLED = {
    "uid": "7d3c2a51-90f4-4b3e-8a55-0c1f2e6b7a90@campus.example",
    "address": "anna.vasseur@example.fr",
    "organizer": "visites@campus.example",
    "sequence": "0",
    "dtstamp": "20261123T081243Z",
    "partstat": "ACCEPTED",
    "letter": "b42.7d3c2a51",
    "bounce": "visites+b42-0123456789abcdef@campus.example",
}
WORDS = {"ACCEPTED": "Accepté", "TENTATIVE": "Provisoire", "DECLINED": "Refusé"}

WAITING = KnownInvitation(
    uid=FILLED["uid"],
    address=FILLED["address"],
    organizer=FILLED["organizer"],
    sequence=0,
)
STATES = {
    "waiting": WAITING,
    "moved": replace(WAITING, sequence=2),
    "answered": replace(WAITING, last=(0, datetime(2026, 11, 22, 9, 0, tzinfo=UTC))),
    "cancelled": replace(WAITING, sequence=1, cancelled=True),
    "over": replace(WAITING, over=True),
    "not asked": replace(WAITING, asked=False),
    "of another": replace(WAITING, address="bruno.petit@example.fr"),
    "unknown": None,
    "no such letter": None,
}
# What the newest mail in each state said; answers echo it.
SENT_SEQUENCE = {"moved": "2"}

_SECTION = re.compile(
    r"\[\[(base64|quoted-printable|utf-16)\]\]\n(.*?)\[\[/\1( cut)?\]\]\n?", re.DOTALL
)
_FILLING = re.compile("{(" + "|".join([*FILLED, "word"]) + ")}")


@dataclass(frozen=True)
class Row:
    message: str
    answer: str
    state: str
    change: str
    effect: str
    code: str
    person: str
    why: str

    @property
    def octets(self) -> bytes:
        return self.filled()

    def filled(self, **values: str) -> bytes:
        """The message with what is true of an invitation, and this row's change."""
        values = {"sequence": SENT_SEQUENCE.get(self.state, "0")} | values
        values |= dict(pair.split("=") for pair in self.change.split())
        return filled(self.message, partstat=self.answer, **values)

    def __str__(self) -> str:
        named = (self.message.removesuffix(".eml"), self.answer.lower(), self.state)
        return "-".join([*(word.replace(" ", "_") for word in named if word)])


def matrix() -> list[Row]:
    with (HERE / "matrix.csv").open(encoding="utf-8", newline="") as table:
        return [Row(**line) for line in csv.DictReader(table)]


def files() -> list[str]:
    return sorted(str(f.relative_to(MESSAGES)) for f in MESSAGES.rglob("*.eml"))


def filled(message: str, **values: str) -> bytes:
    """The message as it comes from the wire."""
    written = (MESSAGES / message).read_bytes().decode("utf-8")
    known = FILLED | values
    known["word"] = WORDS.get(known["partstat"].upper(), "Réponse")
    text = _FILLING.sub(lambda found: known[found[1]], written)
    line_end = "\n" if "[[LF]]\n" in text else "\r\n"
    line_end = "\r\r\n" if "[[CRCRLF]]\n" in text else line_end
    charset = "latin-1" if "[[latin-1]]\n" in text else "utf-8"
    split = "[[split-characters]]\n" in text
    text = re.sub(r"\[\[(LF|CRCRLF|latin-1|split-characters)\]\]\n", "", text)
    text = _SECTION.sub(_encoded, text).replace("[[NUL]]", "\0")
    octets = text.replace("\n", line_end).encode(charset)
    return octets.replace(b"\xc3\xa9", b"\xc3\r\n \xa9") if split else octets


def _encoded(section: re.Match[str]) -> str:
    kind, clear, cut = section.groups()
    lines = clear.replace("\n", "\r\n")
    if kind == "quoted-printable":
        return quopri.encodestring(lines.encode()).decode().replace("\r\n", "\n")
    octets = lines.encode("utf-16" if kind == "utf-16" else "utf-8")
    written = base64.encodebytes(octets).decode()
    return written[: len(written) // 2 - 1] + "\n" if cut else written
