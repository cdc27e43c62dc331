"""What `reports` can do, each inside one transaction."""

from reports.storage import alerts as _alerts  # noqa: F401 # so that their tables are known
from reports.storage import costs as _costs  # noqa: F401
from reports.storage import schedules as _schedules  # noqa: F401
from reports.storage import targets as _targets  # noqa: F401
from reports.storage.tables import metadata as metadata
