"""Results that are used again, as long as the same would come out."""
