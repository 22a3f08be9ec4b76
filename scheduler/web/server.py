"""gunicorn, started from Python: threads in one process, or in several."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

THREADS = 8
GRACE_SECONDS = 20
SILENCE_SECONDS = 60
# gunicorn 27 would open a control socket in the user's home.
CONTROL_OFF = "control_socket_disable"

Stop = Callable[[], None]


def _nothing() -> None:
    return None


@dataclass(frozen=True, kw_only=True)
class Serving:
    """How to serve. ``beside`` starts what lives in each process next to the pages."""

    bind: str
    workers: int = 1
    threads: int = THREADS
    ready: Callable[[], None] = _nothing
    beside: Callable[[Flask], Stop] = lambda _app: _nothing


class Server(BaseApplication):  # type: ignore[misc]
    """``make_app`` is called in each process, after the fork."""

    def __init__(self, make_app: Callable[[], Flask], serving: Serving) -> None:
        self._make_app = make_app
        self._serving = serving
        self._stop: Stop = _nothing
        super().__init__()

    def load_config(self) -> None:
        """Hand over our options; no file and no environment is read."""
        options: dict[str, Any] = {
            "bind": self._serving.bind,
            "workers": self._serving.workers,
            "threads": self._serving.threads,
            "worker_class": "gthread",
            "graceful_timeout": GRACE_SECONDS,
            "timeout": SILENCE_SECONDS,
            "loglevel": "warning",
            "when_ready": lambda _server: self._serving.ready(),
            "post_worker_init": self._begin,
            "worker_exit": self._end,
        }
        if CONTROL_OFF in self.cfg.settings:
            options[CONTROL_OFF] = True
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """The application of this process."""
        return self._make_app()

    def _begin(self, worker: Any) -> None:
        # Ctrl+C reaches the whole group; the master then tells the workers to stop.
        # A worker that hears both meets itself in its own handler and hangs.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._stop = self._serving.beside(worker.wsgi)

    def _end(self, _server: Any, _worker: Any) -> None:
        stop, self._stop = self._stop, _nothing
        stop()
