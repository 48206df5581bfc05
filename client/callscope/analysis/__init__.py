"""What the words and times of a call amount to."""
