"""The blueprint as a file: YAML for who asks for it."""

from __future__ import annotations

import re
from typing import Any

from starlette.responses import Response

from gateway.wire import json_writer, yaml_text

YAML = frozenset({"application/yaml", "application/x-yaml", "text/yaml"})
_JSON = "application/json"


def answer(plain: dict[str, Any], accept: str) -> Response:
    """GetBlueprint's answer as JSON, or the document alone as YAML: its version first, as what a file begins with."""
    headers = {"ETag": f'"{plain["etag"]}"', "Vary": "Accept"}
    if not _prefers_yaml(accept):
        return Response(json_writer.encode(plain), media_type=_JSON, headers=headers)
    content = plain["content"]
    body = yaml_text.write({key: content[key] for key in sorted(content, key=lambda key: (key != "version", key))})
    return Response(body, media_type="application/yaml", headers=headers)


def _prefers_yaml(accept: str) -> bool:
    weights = {"json": 0.0, "yaml": 0.0}
    for choice in accept.split(",")[:20]:
        kind, _, parameters = choice.strip().lower().partition(";")
        found = re.fullmatch(r"\s*q=([01](?:\.\d{0,3})?)\s*", parameters)
        weight = float(found[1]) if found else 1.0
        if kind.strip() in YAML:
            weights["yaml"] = max(weights["yaml"], weight)
        elif kind.strip() in (_JSON, "application/*", "*/*"):
            weights["json"] = max(weights["json"], weight if kind.strip() == _JSON else weight - 0.001)
    return weights["yaml"] > weights["json"]
