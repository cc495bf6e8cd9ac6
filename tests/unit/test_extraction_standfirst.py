from __future__ import annotations

import pytest

from crawler.extraction.classify.standfirst import STANDFIRST, listed
from storage.model import Block, Reason

DECK = "Havnbjerg Kommune ville spare ved at flytte alt ud af kælderen, men regningen blev dobbelt så stor."


def block(text: str, kept: bool, kind: str = "p") -> Block:
    return Block(text, kind, kept, Reason("model", probability=0.17))


@pytest.mark.parametrize("description", [DECK, DECK[:60] + "…", DECK.upper()])
def test_standfirst_is_named_and_whole(description: str) -> None:
    blocks = [block("Kommunen", False, "h1"), block(DECK, False), block("Brødteksten begynder her.", True)]
    told, found = listed(blocks, description)
    assert told[1].reason.word == STANDFIRST
    assert not told[1].kept
    assert found is not None
    assert found.lower() == DECK.lower()
    assert [told[0], told[2]] == [blocks[0], blocks[2]]


@pytest.mark.parametrize(
    "blocks",
    [
        [block("Brødteksten begynder her, med flere ord.", True), block(DECK, False)],
        [block("Et helt andet sted i landet sker der noget andet.", False)],
        [block(DECK, True)],
        [],
    ],
)
def test_nothing_else_is_taken_for_it(blocks: list[Block]) -> None:
    assert listed(blocks, DECK) == (tuple(blocks), DECK)


def test_without_a_description() -> None:
    assert listed([block(DECK, False)], None) == ((block(DECK, False),), None)
