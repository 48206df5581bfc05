"""Benchmarks: run from a checkout, never installed."""
