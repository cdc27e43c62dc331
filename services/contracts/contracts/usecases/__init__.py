"""What `contracts` can do, each inside one transaction."""

from contracts.storage.tables import metadata as metadata
