"""Events in, by what they are for."""
