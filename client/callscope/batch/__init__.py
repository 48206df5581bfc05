"""Many recordings into a database: each once, whatever breaks on the way."""
