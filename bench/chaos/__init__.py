"""A batch while everything it needs is killed, and what is left of it."""
