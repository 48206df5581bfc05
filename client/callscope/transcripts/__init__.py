"""Transcripts that others have written, as conversations to be measured: one reader a file."""
