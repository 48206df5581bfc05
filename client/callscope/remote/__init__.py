"""Recordings that lie elsewhere: in buckets and at addresses, whatever fsspec reaches."""
