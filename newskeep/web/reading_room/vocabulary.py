"""Words of the program that the pages show: states, outcomes, kinds, reasons. Marked for the catalogs of messages."""

from __future__ import annotations

from newskeep.web.language import gettext_noop as _
from newskeep.web.language import ngettext_noop

#: What is counted, by its noun.
NOUNS = {
    "address": ngettext_noop("%(num)s address", "%(num)s addresses"),
    "announced article": ngettext_noop("%(num)s announced article", "%(num)s announced articles"),
    "article": ngettext_noop("%(num)s article", "%(num)s articles"),
    "block": ngettext_noop("%(num)s block", "%(num)s blocks"),
    "byte": ngettext_noop("%(num)s byte", "%(num)s bytes"),
    "capture": ngettext_noop("%(num)s capture", "%(num)s captures"),
    "damaged WARC": ngettext_noop("%(num)s damaged WARC", "%(num)s damaged WARCs"),
    "host": ngettext_noop("%(num)s host", "%(num)s hosts"),
    "job": ngettext_noop("%(num)s job", "%(num)s jobs"),
    "minute": ngettext_noop("%(num)s minute", "%(num)s minutes"),
    "file": ngettext_noop("%(num)s file", "%(num)s files"),
    "more site": ngettext_noop("%(num)s more site", "%(num)s more sites"),
    "paragraph": ngettext_noop("%(num)s paragraph", "%(num)s paragraphs"),
    "site": ngettext_noop("%(num)s site", "%(num)s sites"),
    "URL": ngettext_noop("%(num)s URL", "%(num)s URLs"),
    "WARC": ngettext_noop("%(num)s WARC", "%(num)s WARCs"),
    "word": ngettext_noop("%(num)s word", "%(num)s words"),
}

#: Reasons of the extraction that say too little by themselves.
REASONS = {
    "model": _("unlikely to be article text"),
    "hidden": _("hidden, unlikely to be article text"),
    "caption": _("caption, unlikely to be article text"),
    "control": _("a button or form field"),
    "dialog": _("a dialog over the page"),
    "noscript": _("shown only without scripts"),
    "not in the text": _("not in the article's text"),
    "a reader removed it": _("by a reader"),
    "navigation": _("navigation"),
    "teaser": _("a teaser of another article"),
    "comments": _("comments of readers"),
    "repeated": _("repeated"),
}

#: What each check of a capture is, for a person.
CHECKS = {
    "record": _("The record can be read where the index says it lies"),
    "block digest": _("Its bytes have the digest that was written with them"),
    "url": _("It is of this address"),
    "time": _("It is of this time"),
    "payload digest": _("The body has the digest that the index and the record name"),
    "original": _("The capture that it repeats is held, and has the same body"),
}

#: What an article says of itself.
FIELDS = (
    ("title", _("Title")),
    ("authors", _("Authors")),
    ("published", _("Published")),
    ("modified", _("Modified")),
    ("language", _("Language")),
    ("section", _("Section")),
    ("topics", _("Topics")),
    ("description", _("Description")),
    ("canonical_url", _("Canonical address")),
    ("image", _("Picture")),
    ("paywalled", _("Behind a paywall")),
)

#: Shown by `humanize.word`, which takes whatever a program wrote.
WORDS = (
    # Outcomes of URLs (storage.model.OutcomeKind), and states of addresses (crawler.frontier.address_state.State).
    *(_("archived"), _("unchanged"), _("held"), _("refused"), _("failed")),
    *(_("waiting"), _("gone"), _("alias"), _("announced"), _("new")),
    # States of runs (storage.model.RunState) and jobs (newskeep.saving.jobs.JobState).
    *(_("finished"), _("stopped"), _("time limit"), _("blocked"), _("busy"), _("interrupted")),
    *(_("running"), _("done")),
    # How sites go (newskeep.health.verdicts.Kind).
    *(
        _("ok"),
        _("quiet"),
        _("silent"),
        _("redesign"),
        _("empty"),
        _("banned"),
        _("failing"),
        _("stale"),
        _("never run"),
    ),
    # Kinds of what is held (newskeep.status.holdings.KINDS).
    *(_("pages"), _("pictures"), _("styles and scripts"), _("feeds and sitemaps"), _("documents"), _("other")),
    # Kinds of bars.
    _("articles"),
    # What came in a page's place (crawler.politeness: walls, notices).
    *(_("a bot check"), _("a login wall"), _("a cookie wall"), _("a paywall")),
    *(_("a soft 404"), _("a maintenance page"), _("a geo-block"), _("an ad-blocker wall"), _("an age gate")),
    *(_("a browser notice"), _("a rate limit"), _("a placeholder page"), _("an error page")),
)
