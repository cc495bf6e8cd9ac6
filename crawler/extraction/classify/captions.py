"""Captions in plain paragraphs: a line under a picture that ends with who made it."""

from __future__ import annotations

import re

#: In characters; longer is text.
_LONGEST = 300
_MADE = (
    "photos?|photograph(?:s|y|er)?|photographie|fotos?|fotograf(?:ie|ia|ía)?|images?|imagem|imagen|pictures?|pics?|"
    "bild(?:er|quelle)?|illustrations?|illustrasjon|illustratie|ilustraci[oó]n|ilustração|illustrazione|grafik|graphic|"
    "zdjęcie|kuva|kép|fot\\.?|credits?|crédits?|crédito|credito|courtesy|screenshot|screengrab|фото|снимок|写真|图片|사진|صورة"
)
#: A name: no end of a sentence in it, but initials.
_NAME = r"(?:[^.!?]|(?<=\b[^\W\d_])\.){1,60}"
_CREDIT = re.compile(
    rf"(?:^|[\s(\[.。])(?:{_MADE})\s*(?:[:：/|©]|by\b|von\b|of\b)\s*\S{_NAME}$"
    rf"|©{_NAME}$"
    r"|[/|]\s*(?:AFP|AP|Reuters|Getty(?: Images)?|EPA|dpa|Shutterstock)[)\].]?$",
    re.IGNORECASE,
)


def is_credited(text: str) -> bool:
    """Whether a text ends with a picture's credit: "Photo: A. Name", "… (Foto: B)", "… / Getty Images"."""
    return len(text) <= _LONGEST and _CREDIT.search(text) is not None
