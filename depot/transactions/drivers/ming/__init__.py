"""Scopes on the flushes of Ming's sessions."""
