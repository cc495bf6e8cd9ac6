"""Numbers of bytes as people read them: "1 byte", "12 kB", "1.2 MB"."""

from __future__ import annotations


def size(value: int) -> str:
    """Bytes in the unit that suits them, in powers of a thousand."""
    if value < 1_000:
        return "1 byte" if value == 1 else f"{value} bytes"
    amount, unit = float(value), "bytes"
    for unit in ("kB", "MB", "GB", "TB"):  # noqa: B007
        amount /= 1_000
        if amount < 999.5:
            break
    return f"{amount:.1f} {unit}" if amount < 9.95 else f"{amount:,.0f} {unit}"
