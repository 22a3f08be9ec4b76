"""Ten thousand histories of a visit: at the end every calendar shows the truth.

The rules, the table and what it does to one calendar are the service's own, played in
memory (see ``history``); the database, the outbox and the octets have their own walk in
``test_whole_stack``, of fewer histories.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest

from scheduler.domain.announcements import TELLINGS, Change
from tests.life.client import NOT_ASKED
from tests.life.history import History

HISTORIES = 10_000
SHARES = 4


@pytest.mark.long
@pytest.mark.parametrize("share", range(SHARES))
def test_every_calendar_shows_the_truth_and_nobody_else_has_it(share):
    changes: Counter[Change] = Counter()
    late = 0

    for seed in range(share, HISTORIES, SHARES):
        history = History(random.Random(seed))
        history.play()

        seen, truth = history.seen(), history.truth()
        assert seen == {address: [shown] for address, shown in truth.items()}, seed
        check_answers(history, seed)
        changes += history.changes
        late += history.late

    assert set(changes) == set(Change)
    assert late > HISTORIES / SHARES / 10


LINES = [
    pytest.param(change, number, id=f"{change}-{line.audience}")
    for change, lines in TELLINGS.items()
    for number, line in enumerate(lines)
    if line.method is not None
]


@pytest.mark.parametrize(("change", "number"), LINES)
def test_a_line_that_is_forgotten_is_noticed(monkeypatch, change, number):
    """The walk can fail: it needs every calendar part that the table sends."""
    lines = list(TELLINGS[change])
    lines[number] = replace(lines[number], method=None)
    monkeypatch.setitem(TELLINGS, change, tuple(lines))

    assert any(goes_wrong(seed) for seed in range(HISTORIES))


def goes_wrong(seed: int) -> bool:
    history = History(random.Random(seed))
    try:
        history.play()
        check_answers(history, seed)
    except (AssertionError, KeyError):
        return True
    truth = {address: [shown] for address, shown in history.truth().items()}
    return history.seen() != truth


def check_answers(history: History, seed: int) -> None:
    """What a calendar says that its owner said is what we count."""
    for (audience, address), held in history.held.items():
        if not held.invited or held.shared:
            continue
        event = history.clients[address].events[f"{audience}-{address}"]
        counted = held.answer.value.upper() if held.answer else NOT_ASKED
        assert event.partstat == counted, (seed, address)
