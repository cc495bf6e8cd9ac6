"""What happens to requests and responses between the engine and the wire; one file a middleware."""

from crawler.politeness.errors import HostLeftAlone, HostUnreachable, Refused

__all__ = ["HostLeftAlone", "HostUnreachable", "Refused"]
