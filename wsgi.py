"""Settings → application, for a WSGI server: ``gunicorn wsgi:app``."""

from __future__ import annotations

import os

from config import Settings
from scheduler.app import create_app

app = create_app(Settings.from_env(os.environ))
