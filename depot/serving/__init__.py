"""Stored files over HTTP: one answer to a request, and adapters that translate it."""
