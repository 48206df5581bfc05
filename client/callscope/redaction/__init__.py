"""Personal data in what was said: found in writing and in spoken digits, and masked."""
