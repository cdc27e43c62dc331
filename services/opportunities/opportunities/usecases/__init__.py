"""What `opportunities` can do, each inside one transaction."""

from opportunities.storage.tables import metadata as metadata
