"""Where to go after something was done: only ever within this site."""

from __future__ import annotations

import re

from flask import url_for

from scheduler.domain.actors import Actor
from scheduler.web.signed_in import rooms_of

LONGEST = 500

# A path that no browser takes for another host: "//host" and "/\host" are; a control
# character is dropped by browsers and could uncover one of the two.
_LOCAL = re.compile(r"/(?![/\\])[^\x00-\x20\\\x7f]*")


def local_path(text: str | None) -> str:
    """The path if it leads to a page of ours, else nothing."""
    if not text or len(text) > LONGEST or not _LOCAL.fullmatch(text):
        return ""
    return text


def landing(actor: Actor) -> str:
    """The first page of somebody who has just come in."""
    rooms = rooms_of(actor)
    return url_for(f"{rooms[0]}.home" if rooms else "public.home")
