"""Encryption at rest for addresses (P9), with keys kept apart from the database.

Fernet of the ``cryptography`` package; several keys so that they can be rotated:
the first writes, all read.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy.orm import Session


class BrokenSeal(Exception):
    """Closed with a key that we do not have, or purged."""


class Seal:
    """Closes and opens small texts, and gives a keyed digest to compare by."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        derived = [hashlib.sha256(b"seal:" + key.encode()).digest() for key in keys]
        self._fernet = MultiFernet(
            [Fernet(base64.urlsafe_b64encode(key)) for key in derived]
        )
        self._digest_key = hashlib.sha256(b"digest:" + keys[-1].encode()).digest()

    def close(self, text: str) -> str:
        """The sealed text, ASCII."""
        return self._fernet.encrypt(text.encode()).decode("ascii")

    def open(self, sealed: str) -> str:
        """The text; raises ``BrokenSeal``."""
        try:
            return self._fernet.decrypt(sealed.encode("ascii")).decode()
        except InvalidToken:
            raise BrokenSeal from None

    def digest(self, text: str) -> str:
        """The same for the same text (case apart), useless without the key."""
        plain = text.strip().casefold().encode()
        return hmac.digest(self._digest_key, plain, "sha256").hex()


def seal_of(session: Session) -> Seal:
    """The seal that the session was made with."""
    seal = session.info["seal"]
    if not isinstance(seal, Seal):
        raise TypeError("session without a seal")
    return seal
