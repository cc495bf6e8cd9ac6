"""Scrapy's line of overridden settings, without the passwords and keys among them, nor the address of the index."""

from __future__ import annotations

import logging
import re

#: A setting with such a name and its value as `pprint` has it: a long text is in pieces on several lines.
_SECRET = re.compile(
    r"""('[A-Z_]*(?:PASS|SECRET|KEY|TOKEN|USER\b|INDEX\b)[A-Z_]*':\s*)"""
    r"""(?:\(?(?:\s*(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"))+\)?|[^,}]+)"""
)


class _WithoutSecrets(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, dict) and isinstance(shown := record.args.get("settings"), str):
            record.args = {**record.args, "settings": _SECRET.sub(r"\1'[redacted]'", shown)}
        return True


def redact_settings() -> None:
    """Have Scrapy's log show no passwords and keys of its settings; once or more often."""
    logger = logging.getLogger("scrapy.crawler")
    if not any(isinstance(each, _WithoutSecrets) for each in logger.filters):
        logger.addFilter(_WithoutSecrets())
