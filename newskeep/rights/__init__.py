"""What publishers said, out of an archive: of a page as it was captured, and of a site over time."""

from newskeep.rights.history import SiteState, history
from newskeep.rights.site_terms import SiteTerms

__all__ = ["SiteState", "SiteTerms", "history"]
