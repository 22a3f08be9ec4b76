"""UID: what lets a calendar know an entry again.

One UID per invitation (visit and person), random, for as long as the invitation lives.
It is made neither of ids nor of addresses: a reply must echo it (RFC 5546 §3.2.3), so
it also is the secret that ties an answer to one invitation.
"""

from __future__ import annotations

from uuid import uuid4


def new_uid(domain: str) -> str:
    """A UID that nobody can guess."""
    return f"{uuid4()}@{domain}"
