"""Settings → application, for a WSGI server: ``gunicorn wsgi:app``."""

from __future__ import annotations

import os

from config import Settings
from scheduler import logs
from scheduler.app import create_app

settings = Settings.from_env(os.environ)
logs.configure(level=settings.log_level, for_people=settings.demo)
app = create_app(settings)
