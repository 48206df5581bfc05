"""Sound of a recorded call, made ready for recognition: decoded, split, and cut into windows of speech."""
