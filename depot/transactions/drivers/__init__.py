"""Each translates one library's events into a scope's words."""
