"""Which structures to enter, how they rank, and when they are left."""
