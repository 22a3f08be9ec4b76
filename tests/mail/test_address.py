"""Which addresses a mail can go to."""

from __future__ import annotations

import pytest

from scheduler.mail.address import ascii_address


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("c.robert@example.org", "c.robert@example.org"),
        (" o'neil+a@Example.ORG ", "o'neil+a@example.org"),
        ("lea@écoles.example", "lea@xn--coles-9ra.example"),
        ("root@localhost", "root@localhost"),
    ],
)
def test_an_address_is_written_in_ascii(typed, written):
    assert ascii_address(typed) == written


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "nobody",
        "@example.org",
        "léa@example.org",
        "a..b@example.org",
        "a b@example.org",
        '"a b"@example.org',
        "a@b@example.org",
        "a@example.org, b@example.org",
        "a@example.org\r\nBcc: b@example.org",
        "a\x00@example.org",
        "a@exa_mple.org",
        "a@-example.org",
        "a@example..org",
        "a@[127.0.0.1]",
        f"a@{'b' * 64}.org",
        f"{'a' * 65}@example.org",
        f"{'a' * 60}@{'.'.join(['b' * 60] * 4)}",
    ],
)
def test_what_two_programs_could_read_differently_is_refused(typed):
    with pytest.raises(ValueError, match="bad_address"):
        ascii_address(typed)
