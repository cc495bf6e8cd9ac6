"""Who may come in: a token or a name and password; and links to originals that open for an hour without either."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import time

from newskeep.web.options import ServeOptions

#: Seconds that a signed link works.
LINK_SECONDS = 3600
#: What stands before the path of a signed link: the second it ends, and the signature.
_SIGNED = re.compile(r"/~([0-9]{1,10})-([0-9a-f]{40})(/.*)", re.DOTALL)


def admits(options: ServeOptions, authorization: str | None) -> bool:
    """Whether an Authorization field names the token (as Bearer, or as a Basic password) or the user."""
    if not options.needs_key:
        return True
    scheme, _, value = (authorization or "").strip().partition(" ")
    match scheme.lower():
        case "bearer":
            return _same(options.token, value.strip())
        case "basic":
            try:
                given = base64.b64decode(value.strip(), validate=True).decode()
            except ValueError:
                return False
            # Both are compared, whatever the first says, so that time tells nothing.
            return _same(options.user, given) | _same(options.token, given.partition(":")[2])
    return False


def who(options: ServeOptions, authorization: str | None) -> str:
    """Who it was that `admits` let in, as a crawl report may name them."""
    if not options.needs_key:
        return "this machine"
    scheme, _, value = (authorization or "").strip().partition(" ")
    if scheme.lower() == "basic" and options.user is not None:
        given = base64.b64decode(value.strip(), validate=True).decode()
        if _same(options.user, given):
            return options.user.partition(":")[0]
    return "the token"


def admits_replay(options: ServeOptions, authorization: str | None) -> bool:
    """Whether an Authorization field has the key of the replay that runs beside this server."""
    scheme, _, value = (authorization or "").strip().partition(" ")
    try:
        given = base64.b64decode(value.strip(), validate=True).decode()
    except ValueError:
        return False
    return scheme.lower() == "basic" and _same(f"replay:{replay_key(options)}", given)


def replay_key(options: ServeOptions) -> str:
    """What replay shows to read index and WARCs: of no use elsewhere, nor after the server's end."""
    return hmac.new(options.link_key, b"replay", hashlib.sha256).hexdigest()


def sign(options: ServeOptions, target: str) -> str:
    """Return a path, with its query, with a signature before it.

    Browsers and clients that were let in by the app do not send its credentials to another origin.
    """
    end = str(int(time.time()) + LINK_SECONDS)
    return f"/~{end}-{_signature(options, end, target)}{target}"


def unsign(options: ServeOptions, target: str) -> str | None:
    """Return what was signed; `None` if it is not signed, wrongly signed or too old."""
    match = _SIGNED.fullmatch(target)
    if match is None or int(match[1]) < time.time():
        return None
    return match[3] if _same(_signature(options, match[1], match[3]), match[2]) else None


def _signature(options: ServeOptions, end: str, target: str) -> str:
    return hmac.new(options.link_key, f"{end} {target}".encode(), hashlib.sha256).hexdigest()[:40]


def _same(held: str | None, given: str) -> bool:
    # Hashed first: compare_digest takes its time by the length of what is given.
    one, other = (hashlib.sha256(text.encode(errors="replace")).digest() for text in (held or "", given))
    return hmac.compare_digest(one, other) and held is not None
