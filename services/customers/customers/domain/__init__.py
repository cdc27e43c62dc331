"""Customers as plain values: what is known of them, by what they are known again, what makes a tier."""
