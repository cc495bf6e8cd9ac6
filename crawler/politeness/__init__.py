"""A good guest: when a host may be asked, and when it has said no."""
