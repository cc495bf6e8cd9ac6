"""A reliability diagram: what was said against what came true, as SVG for any browser."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import sqrt

from calibration import Bin

#: Units of the picture: the square of both shares, and what is left for the scales.
_SIDE, _LEFT, _BELOW, _ABOVE = 480, 70, 60, 40
_TICKS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
#: Two deviations: of twenty bins that hold exactly, one lies outside.
_DEVIATIONS = 2.0


def diagram(found: Sequence[Bin], title: str) -> str:
    """Return an SVG with a point a bin; the line through it is the share that chance allows at what was said."""
    width, height = _LEFT + _SIDE + 30, _ABOVE + _SIDE + _BELOW
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">',
            "<style>text { font: 14px sans-serif }</style>",
            f'<rect width="{width}" height="{height}" fill="white"/>',
            f'<text x="{_LEFT}" y="24">{title}</text>',
            *_scales(),
            f'<path d="M{_x(0)} {_y(0)}L{_x(1)} {_y(1)}" stroke="#999" stroke-dasharray="4 4"/>',
            *(shape for one in found for shape in _point(one)),
            "</svg>\n",
        )
    )


def _scales() -> Iterator[str]:
    for tick in _TICKS:
        yield f'<path d="M{_x(tick)} {_y(0)}V{_y(1)}M{_x(0)} {_y(tick)}H{_x(1)}" stroke="#ddd"/>'
        yield f'<text x="{_x(tick)}" y="{_y(0) + 20}" text-anchor="middle">{tick:.1f}</text>'
        yield f'<text x="{_LEFT - 10}" y="{_y(tick) + 5}" text-anchor="end">{tick:.1f}</text>'
    yield f'<text x="{_x(0.5)}" y="{_y(0) + 45}" text-anchor="middle">said: how likely the text is right</text>'
    yield (
        f'<text transform="translate(20 {_y(0.5)}) rotate(-90)" text-anchor="middle">true: share of texts right</text>'
    )


def _point(one: Bin) -> Iterator[str]:
    chance = _DEVIATIONS * sqrt(one.said * (1.0 - one.said) / one.pages)
    low, high = max(0.0, one.said - chance), min(1.0, one.said + chance)
    # Grey what is likely by chance, a dot what was found.
    yield f'<path d="M{_x(one.said)} {_y(low)}V{_y(high)}" stroke="#bbb" stroke-width="6"/>'
    words = f"said {one.said:.2f} ({one.lowest:.2f} to {one.highest:.2f}), true {one.true:.2f}, {one.pages} pages"
    inside = low <= one.true <= high
    colour = "#1a6" if inside else "#c22"
    yield f'<circle cx="{_x(one.said)}" cy="{_y(one.true)}" r="5" fill="{colour}"><title>{words}</title></circle>'


def _x(share: float) -> float:
    return round(_LEFT + share * _SIDE, 1)


def _y(share: float) -> float:
    return round(_ABOVE + (1.0 - share) * _SIDE, 1)
