"""Keeps other sites, open in the same browser, from using the page."""

from __future__ import annotations

import ipaddress

from flask import Blueprint, Response, abort, request

#: What the page may load and do: nothing from elsewhere, and nothing inside another site.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def guard(page: Blueprint) -> Blueprint:
    """The page, guarded."""
    page.before_app_request(refuse_other_sites)
    page.after_app_request(add_policy)
    return page


def add_policy(response: Response) -> Response:
    """Tells the browser what the page may load and do."""
    response.headers['Content-Security-Policy'] = CONTENT_SECURITY_POLICY
    return response


def refuse_other_sites() -> None:
    """Answers 403 to a change that a page of another site asks for, and to a request under a foreign name.

    A browser says in ``Origin`` whose page asks for a change; other clients,
    which say nothing, are no danger. A foreign name can be made to point at this
    machine (DNS rebinding), a numeric address cannot.
    """
    here = request.host_url.rstrip('/')
    if not _is_own_name(request.host):
        abort(403, 'This page is served under its address only, such as 127.0.0.1, and under localhost.')
    if request.method not in {'GET', 'HEAD'} and request.headers.get('Origin', here) != here:
        abort(403, 'Another site asked for this change, so it was refused.')


def _is_own_name(host: str) -> bool:
    name = host.rpartition(':')[0] if not host.endswith(']') and ':' in host else host
    try:
        return name == 'localhost' or bool(ipaddress.ip_address(name.strip('[]')))
    except ValueError:
        return False
