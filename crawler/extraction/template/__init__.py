"""Site memory: what repeats over the pages of a site, and is no part of an article."""
