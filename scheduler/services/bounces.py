"""Where delivery reports come back to: an address of its own for each message (VERP).

``visits+b12-<token>@domain``: the row and a keyed digest of its Message-ID. Nothing is
stored for it, so that it is the same at every attempt; nobody without the key can make
one, so that a forged report ends no message.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import NamedTuple

from scheduler.services.house import House

TOKEN_LENGTH = 16
LARGEST_ID = 2**31 - 1
_TOKEN = re.compile(
    rf"(?:^|\+)b(?P<id>[1-9]\d{{0,9}})-(?P<token>[0-9a-f]{{{TOKEN_LENGTH}}})(?:@|$)",
    re.IGNORECASE,
)
# RFC 3463 §2: class, subject, detail.
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")


class Claimed(NamedTuple):
    """What an address says; whether it is true is to be checked."""

    message_id: int
    token: str


def token(row_id: int, message_id: str, *, key: bytes) -> str:
    """Proof that we made the address for this very message."""
    about = f"bounce:{row_id}:{message_id}"
    return hmac.new(key, about.encode(), hashlib.sha256).hexdigest()[:TOKEN_LENGTH]


def return_address(house: House, row_id: int, message_id: str) -> str | None:
    """The envelope sender of a message; ``None``: the sender's own address."""
    name, _, domain = house.bounce_address.rpartition("@")
    if not name:
        return None
    proof = token(row_id, message_id, key=house.link_key)
    return f"{name}+b{row_id}-{proof}@{domain}"


def claimed_in(text: str) -> Claimed | None:
    """The row and the token that an address, or the part after its ``+``, names."""
    found = _TOKEN.search(text.strip().strip("<>"))
    if found is None or int(found["id"]) > LARGEST_ID:
        return None
    return Claimed(int(found["id"]), found["token"].lower())


def is_right(claimed: Claimed, message_id: str, *, key: bytes) -> bool:
    """Whether the token was made by us."""
    expected = token(claimed.message_id, message_id, key=key)
    return hmac.compare_digest(expected, claimed.token)


def checked_status(status: str) -> str:
    """The status as it may be stored: what a peer sends is no text of ours."""
    found = _STATUS.search(status)
    return found[0] if found else ""
