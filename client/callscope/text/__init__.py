"""Characters in, the same characters out."""
