"""What `customers` can do, each inside one transaction."""

from customers.storage.tables import metadata as metadata
