"""What `activities` can do, each inside one transaction."""

from activities.storage.schema import metadata as metadata
