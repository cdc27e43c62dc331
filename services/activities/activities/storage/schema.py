"""All tables of the service: each noun's own, in the metadata that they share."""

from activities.storage import changes, files, follow_ups, interactions, known, notices, tasks, timeline
from activities.storage.tables import metadata

__all__ = ["changes", "files", "follow_ups", "interactions", "known", "metadata", "notices", "tasks", "timeline"]
