"""What a browser may do with a file: show it or save it, under which name, and with which rights."""

from __future__ import annotations

from ..utils import make_content_disposition
from .description import Description
from .media import SANDBOX, UNKNOWN, checked_content_type, is_inline, is_part_of_pages, is_passive
from .policy import Policy


def disposition_headers(file: Description, policy: Policy) -> list[tuple[str, str]]:
    """The type, the disposition (RFC 6266), and what keeps a stranger's page from running as one of the application."""
    content_type = checked_content_type(file.content_type)
    is_withheld = file.is_disguised or is_part_of_pages(content_type)
    content_type = UNKNOWN if is_withheld else content_type
    is_shown = is_inline(content_type, policy.inline) and not is_withheld
    headers = [
        ('Content-Type', content_type),
        ('Content-Disposition', _disposition(file, policy, is_shown)),
        ('X-Content-Type-Options', 'nosniff'),
        ('Cross-Origin-Resource-Policy', policy.resource_policy),
    ]
    is_safe = is_shown and is_passive(content_type)
    return headers if is_safe else [*headers, ('Content-Security-Policy', SANDBOX)]


def _disposition(file: Description, policy: Policy, is_shown: bool) -> str:
    disposition = 'inline' if is_shown and policy.disposition != 'attachment' else 'attachment'
    return make_content_disposition(disposition, file.filename if policy.filename is None else policy.filename)
