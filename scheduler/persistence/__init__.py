"""Storage: SQLAlchemy without Flask. Rows remember, frozen values decide."""
