"""Files of rows, taken apart in a process of their own: whatever is in them costs the service nothing."""
