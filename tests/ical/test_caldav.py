"""A CalDAV server (Radicale) takes each event and gives it back unchanged."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from http.client import HTTPConnection

import pytest
from icalendar import Calendar

from tests.ical.emitted import around_the_clock_changes, goldens

STARTS_WITHIN = 30.0
CREATED, GONE_BACK = 201, 200
ONE_EACH = [
    each for each in goldens() + around_the_clock_changes() if "feed" not in each.name
]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Radicale on a port of its own, with one empty calendar in it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        *("-m", "radicale", "--config", ""),
        *("--server-hosts", f"127.0.0.1:{port}"),
        *("--auth-type", "none", "--rights-type", "owner_only"),
        *("--storage-filesystem-folder", str(tmp_path_factory.mktemp("radicale"))),
        *("--logging-level", "error"),
    ]
    process = subprocess.Popen(command)
    try:
        _wait_for(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(port: int, process: subprocess.Popen) -> None:
    until = time.monotonic() + STARTS_WITHIN
    while True:
        assert process.poll() is None, "Radicale ended"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < until, "Radicale does not answer"
            time.sleep(0.1)
        else:
            return


def asked(port: int, method: str, path: str, body: bytes = b""):
    """Status and body; the user is ``ada``, whoever that may be."""
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        headers = {"Authorization": "Basic YWRhOg==", "Content-Type": "text/calendar"}
        connection.request(method, path, body=body, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def meaning(octets: bytes):
    """Every property with its value and parameters; their order means nothing."""
    calendar = Calendar.from_ical(octets)
    return {
        (component.name, number): sorted(
            (key, value.to_ical(), sorted(value.params.items()))
            for key, values in component.items()
            for value in (values if isinstance(values, list) else [values])
            if key != "PRODID"
        )
        for number, component in enumerate(sorted(calendar.walk(), key=str))
    }


def test_each_event_is_taken_and_given_back_unchanged(server):
    assert asked(server, "MKCALENDAR", "/ada/visits/")[0] == CREATED

    for number, each in enumerate(ONE_EACH):
        # All samples have one UID, which a collection holds once.
        octets = each.octets.replace(b"5d0f6e0a", f"{number:08x}".encode())
        path = f"/ada/visits/{number}.ics"
        status, refusal = asked(server, "PUT", path, octets)
        assert status == CREATED, (each.name, refusal)
        status, given = asked(server, "GET", path)
        assert status == GONE_BACK
        assert meaning(given) == meaning(octets), each.name
