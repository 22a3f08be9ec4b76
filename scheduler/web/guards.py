"""One check per room: who is unknown signs in, who may not enter finds nothing."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from scheduler.domain.actors import Actor, need
from scheduler.web.signed_in import current_viewer


def guard(bp: Blueprint, allowed: Callable[[Actor], object]) -> None:
    """Let only those actors into the blueprint (P6)."""

    @bp.before_request
    def check() -> ResponseReturnValue | None:
        viewer = current_viewer()
        if viewer is None:
            here = request.full_path.rstrip("?") if request.method == "GET" else ""
            return redirect(url_for("auth.sign_in", next=here or None), 303)
        need(bool(allowed(viewer.actor)))
        return None
