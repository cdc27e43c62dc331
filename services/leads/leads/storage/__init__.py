"""The tables of `leads` and the statements on them. Only use cases come here."""
