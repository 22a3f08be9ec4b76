"""Addresses that a mail can go to, in the form that SMTP takes.

What a person typed was checked when it was typed; this is the last door, and it is
narrow on purpose: no quoted local parts, no comments, no lists, nothing that two
programs could read as two different addresses.
"""

from __future__ import annotations

import re

BAD_ADDRESS = "bad_address"

_LOCAL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
)
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_LOCAL_LIMIT = 64
_ADDRESS_LIMIT = 254


def ascii_address(address: str) -> str:
    """The address with its domain in IDNA; ``ValueError`` if there cannot be one.

    EmailMessage would write an encoded word into the domain, which is wrong, and
    without SMTPUTF8 a local part beyond ASCII cannot be sent to.
    """
    name, at, domain = address.strip().rpartition("@")
    if not at or len(name) > _LOCAL_LIMIT or not _LOCAL.fullmatch(name):
        raise ValueError(BAD_ADDRESS)
    encoded = _ascii_domain(domain)
    if len(name) + 1 + len(encoded) > _ADDRESS_LIMIT:
        raise ValueError(BAD_ADDRESS)
    return f"{name}@{encoded}"


def _ascii_domain(domain: str) -> str:
    try:
        encoded = domain.encode("idna").decode("ascii").lower()
    except UnicodeError as wrong:
        raise ValueError(BAD_ADDRESS) from wrong
    if not all(_LABEL.fullmatch(label) for label in encoded.split(".")):
        raise ValueError(BAD_ADDRESS)
    return encoded
