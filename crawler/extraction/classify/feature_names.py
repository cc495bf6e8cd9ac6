"""The names of the features, in the order of their columns; `features` computes them."""

from __future__ import annotations

from crawler.extraction.classify.class_tokens import GROUPS


def _names(names: str) -> list[str]:
    return names.split()


_OWN = _names(
    "chars words chars_per_word linked links starts_linked ends_linked bold italic ends_sentence ends_colon"
    " punctuation upper digits symbols date starts_lower colon_early opens credit pictured picture_next"
    " broken hidden slug"
)
_KINDS = _names("p h1 heading li row caption quote division")
_INSIDE = _names("article main aside footer header figure form li table blockquote section")
_BELOW = _names("aside header footer figure section li a blockquote")
#: The tags that are looked for around a block, and where the columns "inside" and "below" are among them.
TAGS = tuple(dict.fromkeys([*_INSIDE, *_BELOW]))
INSIDE_AT, BELOW_AT = [TAGS.index(tag) for tag in _INSIDE], [TAGS.index(tag) for tag in _BELOW]
_RELATION = _names(
    "in_main below_main depth in_parent parent_is_main same_place place_blocks place_kept place_linked place_words"
)
_VIEWS = _names("trafilatura default precision json_ld json_ld_length title description repeated")
_POSITION = _names(
    "position after_first before_last is_before is_after after_h1 has_h1 words_before text_words page_blocks"
)
_AROUND = [f"{name}_{level}" for level in (0, 1, 2) for name in ("words_in", "blocks_in", "linked_in", "kept_in")]
_NEIGHBOURS = [
    f"{name}_{distance:+d}"
    for distance in (-2, -1, 1, 2)
    for name in ("trafilatura", "linked", "words", "ends_sentence", "sibling", "is_heading")
]
_SECTION = _names("since_heading under_heading section_kept section_linked gap_before gap_after density")
_GROUPS = [f"{where}:{group}" for where in ("near", "own", "inline") for group in GROUPS]

#: Names of the columns, in order.
NAMES: tuple[str, ...] = tuple(
    [*_OWN]
    + [f"is_{kind}" for kind in _KINDS]
    + [f"inside_{tag}" for tag in _INSIDE]
    + [f"below_{tag}" for tag in _BELOW]
    + _RELATION
    + _VIEWS
    + _POSITION
    + _AROUND
    + _NEIGHBOURS
    + _SECTION
    + _GROUPS
)
