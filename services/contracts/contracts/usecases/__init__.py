"""What `contracts` can do, each inside one transaction."""

# Each noun has its tables in a module of its own: they are all of the metadata once these are read.
from contracts.storage import approvals as approvals_tables  # noqa: F401
from contracts.storage import bills as bills_tables  # noqa: F401
from contracts.storage import contracts as contracts_tables  # noqa: F401
from contracts.storage import parties as parties_tables  # noqa: F401
from contracts.storage import quotes as quotes_tables  # noqa: F401
from contracts.storage import shelf as shelf_tables  # noqa: F401
from contracts.storage.tables import metadata as metadata
