"""What a deployment sets about files and notices."""

from __future__ import annotations

from pydantic import Field, SecretStr

from chassis.settings import Settings


class ActivitySettings(Settings):
    """Read once per process."""

    # Where attachments lie: a folder, or what fsspec takes, such as s3://bucket/path; empty: `files` under the data
    # folder. All pods of the service must see the same.
    files_url: SecretStr = SecretStr("")
    # How long a mail is tried that no server takes, in seconds.
    mail_patience: float = Field(default=86_400.0, gt=0)
