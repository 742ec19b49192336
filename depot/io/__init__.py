"""Where bytes live: the storage interface, and one module a backend."""
