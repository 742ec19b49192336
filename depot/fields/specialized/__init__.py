"""Uploaded files of particular kinds."""
