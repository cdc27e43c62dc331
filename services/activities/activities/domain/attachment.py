"""A file on a record, as it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Attachment:
    """Fields in the order of the columns. `sha256` (hex) is where its bytes lie; `owner` uploaded it."""

    name: str
    record: str
    customer: str
    kind: str
    file_name: str
    content_type: str
    size_bytes: int
    sha256: str
    owner: str
    team: str
    version: int
    create_time: datetime
    update_time: datetime
    delete_time: datetime | None

    @property
    def is_picture(self) -> bool:
        return self.content_type.startswith("image/")
