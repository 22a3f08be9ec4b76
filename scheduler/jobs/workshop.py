"""Runs of the engine in a process of their own, one at a time.

The search takes minutes, a core and memory: pages and mail do not wait for it, and the
memory goes back when it ends. A process that dies leaves its run to be found.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping

import structlog

COMMAND = (sys.executable, "-m", "scheduler.cli", "match", "work")
TIME_TO_END = 5

log = structlog.get_logger()


class Workshop:
    """``environment`` is asked at each start: it holds the settings and the clock."""

    def __init__(
        self,
        environment: Callable[[], Mapping[str, str]],
        *,
        command: tuple[str, ...] = COMMAND,
    ) -> None:
        self._environment = environment
        self._command = command
        self._at_work: tuple[int, subprocess.Popen[bytes]] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a process computes."""
        return self._at_work is not None

    @property
    def process(self) -> int:
        """The number of the process that computes; 0 if none does."""
        return 0 if self._at_work is None else self._at_work[1].pid

    def begin(self, run_id: int) -> None:
        """Start a process for the run; it claims the run by itself."""
        # Ctrl+C in a terminal reaches all processes of it: this one is ended by us.
        process = subprocess.Popen(  # noqa: S603 - our own command and a number
            [*self._command, str(run_id)],
            env=dict(self._environment()),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._at_work = run_id, process
        log.info("run_begun", run=run_id, process=process.pid)

    def ended(self) -> list[int]:
        """Runs whose process has ended since, well or not: who is not done is dead."""
        if self._at_work is None or self._at_work[1].poll() is None:
            return []
        run_id, process = self._at_work
        self._at_work = None
        log.info("run_ended", run=run_id, code=process.returncode)
        return [run_id]

    def close(self) -> None:
        """End the process; its run is interrupted and can be begun again."""
        if self._at_work is None:
            return
        process = self._at_work[1]
        process.terminate()
        try:
            process.wait(TIME_TO_END)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
