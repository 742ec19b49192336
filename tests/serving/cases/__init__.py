"""The table of HTTP cases: what RFC 9110 and its neighbours ask, and what we choose where they leave a choice."""
