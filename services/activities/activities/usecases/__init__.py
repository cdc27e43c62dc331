"""What `activities` can do, each inside one transaction."""

from activities.storage.tables import metadata as metadata
