"""Messages that were made to do harm: bounded time and memory, never an exception."""

import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from scheduler.domain.inbound import CalendarAnswer, ReceivedMail, UnreadableAnswer
from scheduler.domain.verdict import judge
from scheduler.ical.answer import COMMENT_LIMIT, read_answer
from scheduler.mail import received
from scheduler.mail.received import EXCERPT_LIMIT, SUBJECT_LIMIT, read_mail
from tests.inbound.bombs import BOMBS
from tests.inbound.messages import NOW, WAITING, files, filled

ROOT = Path(__file__).resolve().parents[2]
WHOLE = [filled(message) for message in files()]
LINES = sorted({line for octets in WHOLE for line in octets.split(b"\r\n")})


@pytest.fixture(scope="module")
def read_under_limits() -> dict[str, str]:
    """The code of each bomb, up to the one that passed a limit."""
    done = subprocess.run(
        (sys.executable, "-m", "tests.inbound.bombs"),
        capture_output=True, check=False, cwd=ROOT, text=True,
    )  # fmt: skip
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, (said[-1:], done.stderr[-2000:])
    return {one["name"]: one["code"] for one in said if "code" in one}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_ends_within_its_limits(read_under_limits: dict[str, str], name: str):
    assert read_under_limits[name] == BOMBS[name][1]


def check_everything(octets: bytes) -> None:
    """Read, judge, and look at what would be stored."""
    mail = read_mail(octets, authserv_id="mx.campus.example")
    assert isinstance(mail, ReceivedMail)
    assert mail.problem != "unreadable"
    mail, calendar = replace(mail, calendar=None), mail.calendar
    answer = None
    if calendar is not None:
        answer = read_answer(calendar, method_parameter=mail.calendar_method)
        assert isinstance(answer, CalendarAnswer | UnreadableAnswer)
        assert "\0" not in answer.uid
    verdict = judge(mail, answer, WAITING, now=NOW)
    # A lone surrogate or a NUL would stop the database, and the reading of the next.
    stored = json.dumps(asdict(mail) | asdict(verdict), ensure_ascii=False, default=str)
    assert stored.encode()
    assert "\\u0000" not in stored
    assert len(mail.subject) <= SUBJECT_LIMIT
    assert len(mail.excerpt) <= EXCERPT_LIMIT
    assert len(verdict.comment) <= COMMENT_LIMIT
    assert "\n" not in mail.subject + mail.message_id


@given(st.binary(max_size=2000))
def test_any_octets_are_read(octets: bytes):
    check_everything(octets)


@given(st.lists(st.sampled_from(LINES), max_size=60))
def test_any_order_of_known_lines_is_read(lines: list[bytes]):
    check_everything(b"\r\n".join(lines))


@settings(max_examples=300)
@given(
    st.sampled_from(WHOLE),
    st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 200), st.binary(max_size=20)),
        max_size=5,
    ),
)
def test_any_damaged_message_is_read(
    octets: bytes, damages: list[tuple[float, int, bytes]]
):
    for at, length, instead in damages:
        start = int(at * len(octets))
        octets = octets[:start] + instead + octets[start + length :]

    check_everything(octets)


@settings(max_examples=300)
@given(
    st.sampled_from([one for one in WHOLE if b"BEGIN:VCALENDAR" in one]),
    st.floats(0, 1),
    st.integers(0, 60),
    st.binary(max_size=40),
)
def test_any_damaged_calendar_is_read(
    octets: bytes, at: float, length: int, instead: bytes
):
    calendar = octets[octets.index(b"BEGIN:VCALENDAR") :]
    start = int(at * len(calendar))
    damaged = calendar[:start] + instead + calendar[start + length :]

    for method in ("REPLY", "COUNTER"):
        answer = read_answer(
            damaged.replace(b"METHOD:REPLY", b"METHOD:" + method.encode())
        )
        assert isinstance(answer, CalendarAnswer | UnreadableAnswer)


def test_what_nobody_foresaw_is_set_aside(monkeypatch: pytest.MonkeyPatch):
    def fail(*_: object) -> None:
        raise RecursionError

    monkeypatch.setattr(received, "parts_of", fail)

    mail = read_mail(WHOLE[0])

    assert mail.problem == "unreadable"
    assert mail.size == len(WHOLE[0])
