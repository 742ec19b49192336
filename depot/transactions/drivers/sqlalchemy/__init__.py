"""SQLAlchemy's sessions and rows, translated into scopes."""
