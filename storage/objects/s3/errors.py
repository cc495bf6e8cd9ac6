"""What S3 servers and boto3 complain of, as one line that names the thing and says what to do."""

from __future__ import annotations

import re

from storage.errors import ConfigError, NewskeepError, StoreDenied, StoreUnavailable

_KEYS = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
_REGION = "the bucket is in another region; set AWS_DEFAULT_REGION or the profile's region"
_EXPIRED = "the session token has expired; fetch new credentials and run again"
_FETCH = "credentials could not be fetched; sign in again or check the profile"
_LATER = "the server is overloaded or failing; run again later, nothing acknowledged is lost"
_AWAY = "the server cannot be reached; check AWS_ENDPOINT_URL_S3 and the network"
_CUT = "the connection broke; check the network and run again"
_FULL = "the storage or its quota is full; free some space and run again"

#: S3's error codes, HTTP statuses where a reply has no code, and names of botocore's exceptions. What does not get
#: better by itself is `StoreDenied`: with it a run does not begin.
EXPLANATIONS: dict[str, tuple[type[NewskeepError], str]] = {
    "NoCredentialsError": (StoreDenied, f"no credentials found; {_KEYS}"),
    "PartialCredentialsError": (StoreDenied, f"the credentials are incomplete; {_KEYS}"),
    "CredentialRetrievalError": (StoreDenied, _FETCH),
    "TokenRetrievalError": (StoreDenied, _FETCH),
    "SSOError": (StoreDenied, _FETCH),
    "LoginError": (StoreDenied, _FETCH),
    "MetadataRetrievalError": (StoreDenied, _FETCH),
    "ProfileNotFound": (ConfigError, "there is no such profile; check AWS_PROFILE and ~/.aws/config"),
    "ConfigParseError": (ConfigError, "~/.aws/config or ~/.aws/credentials cannot be read as INI"),
    "InvalidAccessKeyId": (
        StoreDenied,
        "the server does not know the access key; check AWS_ACCESS_KEY_ID or the profile",
    ),
    "SignatureDoesNotMatch": (StoreDenied, "the signature is wrong; check both access keys and the region"),
    "AccessDenied": (StoreDenied, "access denied; these credentials lack a permission on the bucket"),
    "403": (StoreDenied, "access denied; these credentials lack a permission on the bucket"),
    "401": (StoreDenied, "the server does not accept the credentials"),
    "ExpiredToken": (StoreDenied, _EXPIRED),
    "ExpiredTokenException": (StoreDenied, _EXPIRED),
    "TokenRefreshRequired": (StoreDenied, _EXPIRED),
    "InvalidToken": (StoreDenied, "the session token is not valid; check AWS_SESSION_TOKEN"),
    "RequestTimeTooSkewed": (StoreDenied, "this machine's clock is wrong by more than the server allows; set it (NTP)"),
    "RequestExpired": (StoreDenied, "this machine's clock is wrong by more than the server allows; set it (NTP)"),
    "AuthorizationHeaderMalformed": (StoreDenied, _REGION),
    "PermanentRedirect": (StoreDenied, _REGION),
    "TemporaryRedirect": (StoreDenied, _REGION),
    "IllegalLocationConstraintException": (StoreDenied, _REGION),
    "InvalidRegionError": (ConfigError, "the region's name is not valid; check AWS_DEFAULT_REGION"),
    "RedirectLoop": (StoreUnavailable, "the server redirects all requests; check AWS_ENDPOINT_URL_S3: http or https?"),
    "301": (StoreDenied, _REGION),
    "307": (StoreDenied, _REGION),
    "NoSuchBucket": (StoreDenied, "no such bucket; make it first or check its name"),
    "InvalidBucketName": (StoreDenied, "the server does not take this as a bucket's name"),
    "ParamValidationError": (StoreDenied, "the server does not take this as a bucket's name"),
    "InvalidObjectState": (StoreUnavailable, "the object is in a cold storage class; restore it first"),
    "QuotaExceeded": (StoreUnavailable, _FULL),
    "XMinioStorageFull": (StoreUnavailable, _FULL),
    "507": (StoreUnavailable, _FULL),
    "SlowDown": (StoreUnavailable, _LATER),
    "ServiceUnavailable": (StoreUnavailable, _LATER),
    "InternalError": (StoreUnavailable, _LATER),
    "500": (StoreUnavailable, _LATER),
    "502": (StoreUnavailable, _LATER),
    "503": (StoreUnavailable, _LATER),
    "504": (StoreUnavailable, _LATER),
    "429": (StoreUnavailable, _LATER),
    "EndpointConnectionError": (StoreUnavailable, _AWAY),
    "ConnectTimeoutError": (StoreUnavailable, _AWAY),
    "ProxyConnectionError": (StoreUnavailable, "the proxy cannot be reached; check HTTPS_PROXY"),
    "SSLError": (StoreUnavailable, "the server's certificate is not trusted; check the endpoint and AWS_CA_BUNDLE"),
    "ReadTimeoutError": (StoreUnavailable, "the server stopped answering; run again later"),
    "HTTPClientError": (StoreUnavailable, _CUT),
    "HTTPError": (StoreUnavailable, _CUT),
    "IncompleteReadError": (StoreUnavailable, _CUT),
    "ResponseParserError": (StoreUnavailable, "what answers is no S3 server; check AWS_ENDPOINT_URL_S3"),
    "InvalidEndpoint": (ConfigError, "the endpoint is no http or https address; check AWS_ENDPOINT_URL_S3"),
    # Reading goes on only in the version it began with.
    "PreconditionFailed": (StoreUnavailable, "the object was replaced while it was read; run again"),
}


class S3Error(Exception):
    """A request that failed: the names it is known by, the closest first, and the HTTP status if there was a reply."""

    def __init__(self, names: tuple[str, ...], status: int | None = None) -> None:
        super().__init__(names, status)
        self.names = names
        self.status = status

    @property
    def answered(self) -> bool:
        """Whether the server is there and able, so that asking it something else makes sense."""
        return self.status is not None and self.status < 500

    @property
    def code(self) -> str:
        """The closest name, fit to be shown whatever the server made of it."""
        return re.sub(r"[^A-Za-z0-9._-]", "", self.names[0])[:64] or "no code"


def translated(error: S3Error, what: str, endpoint: str) -> NewskeepError:
    """Return the project's error for a failed request; `what` is the object or bucket it was about."""
    for name in (*error.names, str(error.status)):
        if name in EXPLANATIONS:
            kind, text = EXPLANATIONS[name]
            return kind(f"{what} at {endpoint}: {text} ({error.code})")
    status = f", status {error.status}" if error.status else ""
    return StoreUnavailable(f"{what} at {endpoint}: the request failed ({error.code}{status})")
