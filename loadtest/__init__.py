"""How many calls a machine carries: run, never installed."""
