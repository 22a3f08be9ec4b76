"""Children forked from one process that has imported everything, instead of each anew.

They share no connection and no state with the test or with each other.
"""

from __future__ import annotations

import multiprocessing

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.services.storm", "tests.concurrency.jobs"])
