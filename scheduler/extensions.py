"""Flask's extensions, created unbound; ``app.create_app`` binds them."""

from __future__ import annotations

from flask_babel import Babel
from flask_login import LoginManager
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect

from scheduler import paths
from scheduler.persistence.base import Base

db = SQLAlchemy(metadata=Base.metadata, session_options={"info": {}})
migrate = Migrate(directory=str(paths.MIGRATIONS), render_as_batch=True)
babel = Babel()
login = LoginManager()
csrf = CSRFProtect()
