"""Settings: the only reader of the environment.

``Settings.from_env`` takes the environment as a mapping and fails with one error that
lists everything that is missing or wrong.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from typing import Any

from scheduler.domain.policy import Policy

# A name has 64 octets at most (RFC 5321 §4.5.3.1.1); each mail adds "+b<id>-<token>".
LONGEST_BOUNCE_NAME = 35


class BadSettings(Exception):
    """What is missing or wrong in the environment, all at once."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Every setting of the service; README.md has the table."""

    secret_key: str
    seal_keys: tuple[str, ...]
    database_url: str = "sqlite:///instance/visits.db"
    base_url: str = "http://127.0.0.1:8000"
    demo: bool = False
    testing: bool = False
    campus_name: str = "Campus Design et industrie du futur"
    support_email: str = "campus@example.org"
    mail_from: str = "visites@example.org"
    mail_from_name: str = "Visites d’entreprises"
    bounce_address: str = ""
    smtp_host: str = "127.0.0.1"
    smtp_port: int = 8025
    smtp_tls: str = "none"
    smtp_user: str = ""
    smtp_password: str = ""
    smtp_timeout: int = 20
    answers_mailbox: str = ""
    answers_dir: str = "instance/answers"
    answers_seconds: int = 60
    authserv_id: str = ""
    imap_host: str = ""
    imap_port: int = 993
    imap_user: str = ""
    imap_password: str = ""
    imap_folder: str = "INBOX"
    imap_done_folder: str = ""
    imap_tls: str = "tls"
    mail_per_minute: int = 0
    catcher_port: int = 8025
    mailbox_dir: str = "instance/mailbox"
    loop_in_web: bool = False
    outbox_seconds: int = 5
    trusted_proxies: int = 0
    log_level: str = "INFO"
    clock_starts_at: datetime | None = None
    policy: Policy = field(default_factory=Policy)

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """Read the settings; raises ``BadSettings`` listing every problem."""
        problems: list[str] = []
        found: dict[str, Any] = {}
        for each in dataclasses.fields(cls):
            name = each.name.upper()
            if each.name in {"policy", "testing"} or name not in env:
                continue
            _read(env, name, each, found, problems)
        if not found.get("secret_key"):
            problems.append("SECRET_KEY is missing (any long random text)")
        if not found.get("seal_keys"):
            problems.append("SEAL_KEYS is missing (comma-separated random texts)")
        if found.get("smtp_tls", "none") not in {"none", "starttls", "tls"}:
            problems.append("SMTP_TLS must be none, starttls or tls")
        _check_answers(found, problems)
        bounces_to = found.get("bounce_address") or found.get("mail_from", "")
        if len(bounces_to.rpartition("@")[0]) > LONGEST_BOUNCE_NAME:
            problems.append(
                "BOUNCE_ADDRESS (or MAIL_FROM without it) must have at most "
                f"{LONGEST_BOUNCE_NAME} characters before the @"
            )
        found["policy"] = _policy(env, problems)
        if problems:
            raise BadSettings("\n".join(problems))
        return cls(**found)


def _check_answers(found: Mapping[str, Any], problems: list[str]) -> None:
    where = found.get("answers_mailbox", "")
    if where not in {"", "maildir", "imap"}:
        problems.append("ANSWERS_MAILBOX must be empty, maildir or imap")
    if found.get("imap_tls", "tls") not in {"none", "starttls", "tls"}:
        problems.append("IMAP_TLS must be none, starttls or tls")
    if found.get("answers_seconds", 1) < 1:
        problems.append("ANSWERS_SECONDS must be at least 1")
    if where == "imap":
        problems.extend(
            f"{name.upper()} is missing (ANSWERS_MAILBOX is imap)"
            for name in ("imap_host", "imap_user", "imap_password")
            if not found.get(name)
        )


def _policy(env: Mapping[str, str], problems: list[str]) -> Policy:
    found: dict[str, Any] = {}
    for each in dataclasses.fields(Policy):
        name = f"POLICY_{each.name.upper()}"
        if name in env:
            _read(env, name, each, found, problems)
    return Policy(**found)


def _read(
    env: Mapping[str, str],
    name: str,
    each: dataclasses.Field[Any],
    found: dict[str, Any],
    problems: list[str],
) -> None:
    try:
        found[each.name] = _READERS[str(each.type)](env[name])
    except ValueError:
        problems.append(f"{name} cannot be read: {env[name]!r}")


def _boolean(text: str) -> bool:
    known = {"1": True, "true": True, "yes": True, "0": False, "false": False}
    known |= {"no": False, "": False}
    if text.lower() not in known:
        raise ValueError(text)
    return known[text.lower()]


def _month_day(text: str) -> tuple[int, int]:
    month, _, day = text.partition("-")
    datetime(2000, int(month), int(day), tzinfo=UTC)
    return int(month), int(day)


_READERS: dict[str, Callable[[str], Any]] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": _boolean,
    "tuple[str, ...]": lambda text: tuple(
        key.strip() for key in text.split(",") if key.strip()
    ),
    "tuple[int, int]": _month_day,
    "time": time.fromisoformat,
    "datetime | None": datetime.fromisoformat,
}
