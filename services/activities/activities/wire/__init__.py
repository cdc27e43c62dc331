"""Messages to plain values and back."""
