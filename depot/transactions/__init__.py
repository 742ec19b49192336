"""What a transaction did to files, and what its end makes of it."""
