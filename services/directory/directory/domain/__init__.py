"""Directory's rules as plain values: people, roles and what they may do, teams, hours."""
