"""How fast answers are read: every message of the matrix, again and again.

Raw octets → what is in the mail → what the calendar says → the verdict; on as many
processes as there are cores, two at most. The database is not asked: that is inbox.py.
"""

from __future__ import annotations

import multiprocessing
import time

from scheduler.domain.verdict import judge
from scheduler.ical.answer import read_answer
from scheduler.mail.received import read_mail
from tests.inbound.messages import NOW, SERVER, STATES, matrix

CORES = 2
REPEATS = 40
ENOUGH = 500


def read_all(repeats: int) -> int:
    """How many were read."""
    cases = [(row.octets, STATES[row.state]) for row in matrix()]
    for _ in range(repeats):
        for octets, known in cases:
            mail = read_mail(octets, authserv_id=SERVER)
            answer = (
                None
                if mail.calendar is None
                else read_answer(mail.calendar, method_parameter=mail.calendar_method)
            )
            judge(mail, answer, known, now=NOW, bounced=True)
    return repeats * len(cases)


def main() -> bool:
    """Print the speed; whether it is enough."""
    with multiprocessing.get_context("spawn").Pool(CORES) as pool:
        pool.map(read_all, [1] * CORES)
        started = time.perf_counter()
        read = sum(pool.map(read_all, [REPEATS] * CORES, chunksize=1))
        speed = read / (time.perf_counter() - started)
    print(f"reading answers on {CORES} cores: {speed:.0f}/s (wanted {ENOUGH})")
    return speed >= ENOUGH
