"""Between the contracts and the domain: requests in, messages out."""
