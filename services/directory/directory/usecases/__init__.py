"""What directory can do, one function each, inside one transaction."""
