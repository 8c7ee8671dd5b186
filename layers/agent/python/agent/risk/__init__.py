"""What may be risked: limits, the checks before an entry, its size, and what it reserves."""
