"""Captions in plain paragraphs are told by the picture above them and the credit they end with."""

from __future__ import annotations

import pytest
from article_page import PAGE, PARAGRAPHS

from crawler.extraction import extract
from crawler.extraction.classify.captions import is_credited

CAPTION = "The reading room on a winter morning. Foto: Ann Example"
PICTURE = f'<p><img src="/room.jpg"></p><p>{CAPTION}</p>'


@pytest.mark.parametrize(
    "text",
    [
        CAPTION,
        "The mayor (Photo: A. Example)",
        "Illustration: The Lower Post",
        "The station. / Getty Images",
        "Ein Bahnhof. Bild: B. Beispiel/dpa",
        "© 2026 The Lower Post",
        "部屋の様子。写真：例え",
    ],
)
def test_lines_with_a_credit(text: str) -> None:
    assert is_credited(text)


@pytest.mark.parametrize(
    "text",
    [
        *PARAGRAPHS,
        "She posted a photo of the pair. It was shared a thousand times.",
        "The picture is bleak.",
        "Photo: " + "very long, " * 40,
    ],
)
def test_lines_without(text: str) -> None:
    assert not is_credited(text)


def test_a_caption_in_a_paragraph_is_left_out_and_says_why() -> None:
    page = PAGE.replace(f"<p>{PARAGRAPHS[2]}</p>", f"{PICTURE}<p>{PARAGRAPHS[2]}</p>")
    blocks = {block.text: block for block in extract(page).blocks}
    assert not blocks[CAPTION].kept
    reason = blocks[CAPTION].reason
    assert reason.word == "caption with a credit" and reason.probability is not None
    assert blocks[PARAGRAPHS[2]].kept
