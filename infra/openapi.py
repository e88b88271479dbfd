"""The API as OpenAPI, made from its functions: `python -m infra.openapi >docs/openapi.json`."""

import json
from typing import Any

from functions import (
    cases_api,
    coupons_api,
    desk_api,
    evidence_api,
    malice_api,
    messages_api,
    money_api,
    profile_api,
)

_TITLE = "Winback"
_ABOUT = "Turns bad reviews into kept customers. Every request is signed (AWS Signature Version 4)."
_SIGNED = {
    "type": "apiKey",
    "name": "Authorization",
    "in": "header",
    "x-amazon-apigateway-authtype": "awsSigv4",
}


def document() -> dict[str, Any]:
    """Return the merged description. Raises ValueError where its functions mean different things."""
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    apps = (
        *(cases_api.app, messages_api.app, profile_api.app, desk_api.app),
        *(malice_api.app, evidence_api.app, money_api.app, coupons_api.app),
    )
    for app in apps:
        part = json.loads(app.get_openapi_json_schema(title=_TITLE, version="1.0.0"))
        paths |= part["paths"]
        for name, schema in part["components"]["schemas"].items():
            if schemas.setdefault(name, schema) != schema:
                raise ValueError(f"the functions describe {name} differently; rename one of them")
    return {
        "openapi": "3.1.0",
        "info": {"title": _TITLE, "version": "1.0.0", "description": _ABOUT},
        "security": [{"sigv4": []}],
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": dict(sorted(schemas.items())), "securitySchemes": {"sigv4": _SIGNED}},
    }


def text() -> str:
    return json.dumps(document(), ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    print(text(), end="")
