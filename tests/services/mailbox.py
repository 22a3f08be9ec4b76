"""What tests read of the outbox, and calendars that behave as people's calendars do."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduler.domain.refusals import Refusal
from scheduler.mail.letter import Message
from scheduler.persistence.base import Base
from scheduler.persistence.models.journal import JournalRow
from scheduler.persistence.models.outbox import MessageRow
from scheduler.persistence.sealed import seal_of
from scheduler.services import delivery
from scheduler.services.house import House

ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+")


@dataclass(frozen=True, kw_only=True)
class Told:
    """One message of the outbox, opened."""

    kind: str
    to: str
    audience: str | None
    method: str | None
    sequence: int
    uid: str | None
    dtstamp: datetime
    payload: dict[str, Any]

    @property
    def line(self) -> tuple[str, str, str | None, int | None]:
        """Kind, recipient, method, sequence: what most tests compare."""
        sequence = self.sequence if self.method else None
        return self.kind, self.to, self.method, sequence


def all_told(
    mail: str,
    method: str,
    sequence: int,
    *,
    who: tuple[str, ...],
    hosts: tuple[str, ...],
) -> set[tuple[str, str, str | None, int | None]]:
    """Lines of ``Outbox``. Hosts are one revision ahead: they hold the request too."""
    return {(mail, each, method, sequence + (each in hosts)) for each in who}


class Outbox:
    """``news()``: what was recorded since it was last asked."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._seen = 0

    def news(self) -> list[Told]:
        rows = self._session.scalars(
            select(MessageRow)
            .where(MessageRow.id > self._seen)
            .order_by(MessageRow.id)
            .execution_options(populate_existing=True)
        ).all()
        self._seen = max([self._seen, *(row.id for row in rows)])
        seal = seal_of(self._session)
        told = [
            Told(
                kind=row.kind,
                to=seal.open(row.address),
                audience=row.audience,
                method=row.method,
                sequence=row.sequence,
                uid=row.uid,
                dtstamp=row.dtstamp,
                payload=row.payload,
            )
            for row in rows
        ]
        self._session.rollback()
        return told

    def lines(self) -> set[tuple[str, str, str | None, int | None]]:
        """The news in short; a message that comes twice is an error."""
        told = [each.line for each in self.news()]
        assert len(told) == len(set(told))
        return set(told)


@dataclass
class Calendars:
    """A post that hands each invitation to its recipient's calendar (RFC 5546).

    ``entries``: (address, UID) → what the calendar shows. A letter sent twice changes
    nothing; one that is older than what is known is an error of ours.
    """

    entries: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    letters: list[Message] = field(default_factory=list)
    known: dict[tuple[str, str], tuple[int, datetime]] = field(default_factory=dict)

    @contextmanager
    def connect(self) -> Iterator[Calendars]:
        yield self

    def send(self, letter: Any) -> None:
        self.letters.append(letter)
        others = set(ADDRESS.findall(json.dumps(letter.payload)))
        assert others == set(), f"{letter.kind} tells of {others}"
        if letter.method is None:
            return
        key = (letter.recipient_address, letter.uid)
        revision = (letter.sequence, letter.dtstamp)
        if key in self.known and revision != self.known[key]:
            last_sequence, last_dtstamp = self.known[key]
            assert letter.sequence > last_sequence
            assert letter.dtstamp > last_dtstamp
        self.known[key] = revision
        if letter.method == "CANCEL":
            self.entries.pop(key, None)
        else:
            visit = letter.payload["visit"]
            self.entries[key] = {
                name: visit[name] for name in ("id", "starts_at", "ends_at", "place")
            }

    def deliver(self, session: Session, *, now: datetime) -> int:
        """Send all that is due, as the loop does; at night too."""
        session.info["house"] = sleepless(session.info["house"])
        return delivery.deliver_due(
            session,
            lambda message: message,  # type: ignore[arg-type, return-value]
            self,  # type: ignore[arg-type]
            now=lambda: now,
            limit=10_000,
        )

    def of(self, address: str) -> list[dict[str, Any]]:
        """What one person sees."""
        return [entry for (who, _), entry in self.entries.items() if who == address]


def sleepless(house: House) -> House:
    """The same without quiet hours: what is true must be in every calendar at once."""
    awake = dataclasses.replace(house.policy, quiet_from=time(), quiet_until=time())
    return dataclasses.replace(house, policy=awake)


def everything(session: Session) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    session.rollback()
    found = {
        table.name: sorted(
            (tuple(row) for row in session.execute(select(table))), key=repr
        )
        for table in Base.metadata.sorted_tables
    }
    session.rollback()
    return found


@contextmanager
def refused(session: Session, *codes: str) -> Iterator[None]:
    """The block is refused with exactly these codes and changes nothing at all."""
    before = everything(session)
    with pytest.raises(Refusal) as raised:
        yield
    refusal = raised.value
    several = getattr(refusal, "refusals", (refusal,))
    assert [each.code for each in several] == list(codes)
    assert everything(session) == before


def journal(session: Session, visit_id: int) -> list[tuple[str, str, str]]:
    """What happened, from which state, to which."""
    rows = session.scalars(
        select(JournalRow)
        .where(JournalRow.visit_id == visit_id)
        .order_by(JournalRow.id)
    ).all()
    lines = [(row.what, row.from_state, row.to_state) for row in rows]
    session.rollback()
    return lines
