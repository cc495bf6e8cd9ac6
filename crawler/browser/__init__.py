"""Pages that only a browser shows: Chromium, driven from a process of its own, and its exchanges byte for byte."""
