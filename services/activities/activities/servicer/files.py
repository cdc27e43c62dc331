"""FileService."""

from __future__ import annotations

from dealwright.activities.v1 import files_pb2 as pb


class FileServicer:
    descriptor = pb.DESCRIPTOR.services_by_name["FileService"]
