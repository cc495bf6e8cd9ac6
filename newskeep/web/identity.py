"""The directory of the key that our requests are signed with (Web Bot Auth), signed with that key itself."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from crawler.identity import identity_of
from crawler.identity.key import DIRECTORY_PATH, DIRECTORY_TYPE
from crawler.identity.signatures import sign_directory
from newskeep.web.options import ServeOptions
from storage.errors import NotArchived


def routes() -> list[BaseRoute]:
    return [Route(DIRECTORY_PATH, _directory)]


def _directory(request: Request) -> Response:
    options: ServeOptions = request.app.state.options
    identity = identity_of(options.config.signing_key, options.config.agent)
    if identity is None:
        raise NotArchived("requests are not signed here: there is no key directory")
    # For the host that the configuration names alone: who asks by another name gets no signature for that.
    fields = {"Cache-Control": "public, max-age=3600", **dict(sign_directory(identity, datetime.now(UTC)))}
    return Response(json.dumps(identity.directory), headers=fields, media_type=DIRECTORY_TYPE)
