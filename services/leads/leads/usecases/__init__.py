"""What `leads` can do, each inside one transaction."""

from leads.storage.tables import metadata as metadata
