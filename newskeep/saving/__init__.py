"""Saving from programs: in a process of its own, since Twisted's reactor starts once in a process; and jobs on disk."""
