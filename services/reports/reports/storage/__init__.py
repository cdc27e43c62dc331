"""The tables of `reports` and the statements on them. Only use cases come here."""
