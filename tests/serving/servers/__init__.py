"""Real servers, each in a process of its own, with a small application that serves stored files."""
