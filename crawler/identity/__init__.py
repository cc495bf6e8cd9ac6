"""Who we are, provably: requests signed by Web Bot Auth (draft-ietf-webbotauth-httpsig-protocol, RFC 9421, Ed25519).

Off until newskeep.toml names a key. The part of RFC 9421 that is needed is a page long and written here: libraries of
it sign request objects of other HTTP clients, and ours exist on the wire alone.
"""

from crawler.identity.key import Identity, identity_of

__all__ = ["Identity", "identity_of"]
