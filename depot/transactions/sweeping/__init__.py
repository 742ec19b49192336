"""What a sweep is made of: what it reads, what it finds, what it tells."""
