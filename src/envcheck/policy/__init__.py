"""What of the findings counts, and the exit code."""
