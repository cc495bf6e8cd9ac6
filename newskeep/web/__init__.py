"""The archive over HTTP: Memento, CDX, a JSON API and feeds for programs, the reading room for people.

Two origins: the app, which is ours, and the originals, where what others wrote is shown without scripts, cookies or a
way back. `newskeep.web.app` makes both, `newskeep.web.server` runs them on two ports. Needs the extra `web`.
"""
