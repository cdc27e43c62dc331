"""Alembic versions of directory's tables."""
