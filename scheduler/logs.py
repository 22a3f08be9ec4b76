"""What the service says while it runs: one line for each thing, to standard error.

JSON for machines in production, words for people in the demo. Lines carry ids and
counts, never an address, a name or a text that somebody typed; addresses of pages are
not logged either, because those of personal links are secrets.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog
from structlog.stdlib import ProcessorFormatter

# They speak of every request, mail and migration.
TALKATIVE = ("alembic", "gunicorn", "mail.log", "werkzeug")
# It speaks of every tick that found the last one running; errors the loop says itself.
SILENT = "apscheduler"


def configure(*, level: str, for_people: bool) -> None:
    """Our own lines and those of libraries, in one form."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(
            fmt="%H:%M:%S" if for_people else "iso", utc=not for_people
        ),
    ]
    last: list[Any] = [structlog.processors.format_exc_info]
    if for_people:
        last = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    else:
        last.append(structlog.processors.JSONRenderer())
    structlog.configure(
        processors=[*shared, ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level_number(level)),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level_number(level))
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.WARNING, level_number(level)))
    logging.getLogger(SILENT).setLevel(logging.CRITICAL)


def level_number(level: str) -> int:
    """The level by its name; what cannot be read means INFO."""
    return logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
