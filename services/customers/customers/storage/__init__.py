"""The tables of `customers` and the statements on them. Only use cases come here."""
