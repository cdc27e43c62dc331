"""The tables of `opportunities` and the statements on them. Only use cases come here."""
