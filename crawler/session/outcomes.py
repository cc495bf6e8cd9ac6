"""From what happened to a request to an outcome with a reason that a person understands."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING

from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
)
from twisted.internet.error import ConnectError, ConnectionDone, ConnectionLost, NoRouteError

from crawler.politeness.errors import (
    AlreadyHeld,
    HostLeftAlone,
    HostUnreachable,
    LeaseLost,
    NoSecureConnection,
    NotLoggedIn,
    NotPublicAddress,
    NotResolvedHere,
    ProxyFailure,
    Refused,
)
from crawler.politeness.host_gate import WAIT_STATUSES, refusal_reason, retry_after
from crawler.session.conditional import asks_conditionally
from crawler.session.media import described
from crawler.session.reasons import BAD_CHUNK, NO_STATUS_LINE, in_words, no_connection, not_http
from crawler.session.recorder import RecordedExchange, recorded_of
from storage.errors import NewskeepError, SpoolError
from storage.http import HttpMessage
from storage.model import Outcome, OutcomeKind

if TYPE_CHECKING:
    from scrapy import Request

    from crawler.session.page_extraction import Extraction


#: Of what a browser left out, so much is told in an outcome, of so many characters each.
_LEFT_OUT_MOST, _LEFT_OUT_LENGTH = 20, 200


def page_outcome(url: str, recorded: RecordedExchange, extraction: Extraction, left_out: Sequence[str] = ()) -> Outcome:
    """The outcome of an answered request; `url` is the address as it was given.

    `left_out` is what a browser did not give the page, in words, of which the first are told.
    """
    capture = recorded.capture
    kind, reason = _judge(recorded)
    article = extraction.article
    message = HttpMessage.parse(recorded.exchange.response)
    size = len(message.payload)
    if kind == "archived" and article is None:
        reason = reason or extraction.reason or described(message.media_type, size)
    return Outcome(
        url=url,
        outcome=kind,
        reason=_marked(reason or extraction.reason, recorded.exchange.insecure),
        status=message.status,
        final_url=recorded.exchange.url,
        timestamp=capture.timestamp if capture else None,
        # JSON-LD may hold half an emoji, which no file or terminal takes.
        title=article.title.encode("utf-8", "replace").decode() if article and article.title else None,
        words=article.words if article else None,
        noarchive=recorded.noarchive,
        mime=message.media_type,
        size=size,
        left_out=_few(left_out),
    )


def _few(left_out: Sequence[str]) -> tuple[str, ...]:
    """The first of what was left out: a page may name any number of hosts, of any length."""
    told = tuple(each[:_LEFT_OUT_LENGTH] for each in left_out[:_LEFT_OUT_MOST])
    more = len(left_out) - len(told)
    return (*told, f"{more:,} more") if more else told


def was_asked(error: BaseException) -> bool:
    """Whether a request that failed was tried: nothing is, once nothing can be written or hosts are others' to ask."""
    return not isinstance(error.cause if isinstance(error, HostUnreachable) else error, SpoolError | LeaseLost)


def failed_outcome(url: str, request: Request, error: BaseException) -> Outcome:
    """The outcome of a request that got no whole answer, or was never sent."""
    timeout = request.meta.get("download_timeout", 0.0)
    if isinstance(error, HostUnreachable):
        timeout, error = error.timeout, error.cause
    recorded = recorded_of(request)
    capture = recorded.capture if recorded else None
    kind: OutcomeKind = "refused" if isinstance(error, Refused | NotPublicAddress) else "failed"
    if isinstance(error, AlreadyHeld):
        kind = "unchanged"
    return Outcome(
        url=url,
        outcome=kind,
        reason=_explain(error, timeout, recorded),
        status=capture.status if capture else None,
        final_url=error.url if isinstance(error, AlreadyHeld) else request.url.partition("#")[0],
        timestamp=capture.timestamp if capture else None,
    )


def _judge(recorded: RecordedExchange) -> tuple[OutcomeKind, str | None]:
    message = HttpMessage.parse(recorded.exchange.response)
    status, capture = message.status, recorded.capture
    if recorded.wall is not None:
        return "refused", recorded.wall.reason
    if status == HTTPStatus.NOT_MODIFIED and asks_conditionally(recorded.exchange.request):
        return "unchanged", "not modified"
    if status is not None and 200 <= status < 300:
        if recorded.noarchive is not None and capture is None:
            return "refused", f"noarchive ({recorded.noarchive})"
        is_revisit = capture is not None and capture.is_revisit
        if recorded.exchange.truncated is not None:
            return "archived", "whole, though the connection was closed before the end that was announced"
        return ("unchanged", "same content as before") if is_revisit else ("archived", None)
    if status is None:
        return "failed", NO_STATUS_LINE
    if status in WAIT_STATUSES:
        return "failed", refusal_reason(status, retry_after(message.header("retry-after"), recorded.exchange.started))
    return "failed", f"{status} {message.reason or phrase(status)}".strip()


def _marked(reason: str | None, insecure: str | None) -> str | None:
    """A reason with a note on where the answer came from, if that is not to be believed."""
    return "; ".join(filter(None, (reason, f"not proven: {insecure}" if insecure else None))) or None


def _explain(error: BaseException, timeout: float, recorded: RecordedExchange | None) -> str:
    match error:
        case Refused() | AlreadyHeld() | HostLeftAlone() | NotLoggedIn() | NewskeepError():
            return str(error)
        case NoSecureConnection() | NotResolvedHere() | ProxyFailure():
            return str(error)
        case NotPublicAddress():
            return f"not a public address: {error}; --allow-private allows it"
        case CannotResolveHostError():
            return "name not found"
        case DownloadConnectionRefusedError():
            return "connection refused"
        case DownloadTimeoutError():
            return f"timed out after {timeout:g} s"
        case ResponseDataLossError() | DownloadCancelledError():
            return _cut(error, recorded)
        case DownloadFailedError():
            return _connection_failure(error.__cause__, recorded)
        case IgnoreRequest():
            return "too many redirects" if "max redirections" in str(error) else str(error) or "ignored"
        case NoRouteError():
            return "no route to the host"
        case ConnectError():
            return no_connection(error)
    return in_words(error)


def _cut(error: BaseException, recorded: RecordedExchange | None) -> str:
    truncated = recorded.exchange.truncated if recorded is not None else None
    if truncated == "length":
        return "too large"
    if isinstance(error, DownloadCancelledError):
        return "stopped before the answer was complete"
    if truncated == "unspecified":
        return BAD_CHUNK
    return "the connection was closed in the middle of the answer"


def _connection_failure(cause: BaseException | None, recorded: RecordedExchange | None) -> str:
    """Read the reasons out of Twisted's ResponseFailed."""
    if recorded is not None and recorded.exchange.truncated == "length":
        return "too large: the head of the answer"
    reasons = [failure.value for failure in getattr(cause, "reasons", [])]
    for reason in reasons:
        if isinstance(reason, ConnectionLost):
            return "the connection was reset"
        if isinstance(reason, ConnectionDone):
            return "the connection was closed in the middle of the answer" if _answered(recorded) else "no answer"
    return not_http(reasons[0]) if reasons else "the answer was not complete"


def _answered(recorded: RecordedExchange | None) -> bool:
    return recorded is not None and recorded.capture is not None


def phrase(status: int | None) -> str:
    """What a status means, by its standard; empty for one that has none."""
    try:
        return HTTPStatus(status or 0).phrase
    except ValueError:
        return ""
