"""Tables, and what is read and written of them."""
