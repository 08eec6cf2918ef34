"""Zoho's data centres: where one signs in, where the API lives, and which hosts a token reply may send us to.

Source: Zoho CRM API v8, "Multi DC"; the sandbox and developer hosts as in the official Python SDK 7.0.0.
"""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

DataCenter = Literal["us", "eu", "in", "au", "jp", "cn", "sa", "ca"]

# data centre → (accounts host, top-level domain of zohoapis)
_CENTRES: dict[str, tuple[str, str]] = {
    "us": ("accounts.zoho.com", "com"),
    "eu": ("accounts.zoho.eu", "eu"),
    "in": ("accounts.zoho.in", "in"),
    "au": ("accounts.zoho.com.au", "com.au"),
    "jp": ("accounts.zoho.jp", "jp"),
    "cn": ("accounts.zoho.com.cn", "com.cn"),
    "sa": ("accounts.zoho.sa", "sa"),
    "ca": ("accounts.zohocloud.ca", "ca"),
}
_KINDS = ("www", "sandbox", "developer")
_API_HOSTS = frozenset(f"{kind}.zohoapis.{tld}" for _, tld in _CENTRES.values() for kind in _KINDS)


def accounts_url(centre: str) -> str:
    """Where tokens of this data centre are issued."""
    return f"https://{_CENTRES[centre][0]}"


def api_url(centre: str) -> str:
    """The API of a production organisation in this data centre."""
    return f"https://www.zohoapis.{_CENTRES[centre][1]}"


def is_zoho_api(url: str) -> bool:
    """Whether this is an https address of one of Zoho's own API hosts, and nothing that only looks like one."""
    parts = urlsplit(url)
    return parts.scheme == "https" and parts.hostname in _API_HOSTS and parts.port in (None, 443) and not parts.username


# Of Canada's data centre all hosts have a name of their own.
_PAGES = {"ca": ("https://crm.zohocloud.ca", "https://*.zohosandbox.ca")}


def pages(centre: str) -> tuple[str, ...]:
    """The origins of the CRM's own pages, of production and of its sandboxes. Widgets may be wrapped by another host of
    Zoho's: an organisation in which the panel stays empty names it in its configuration."""
    tld = _CENTRES[centre][1]
    return _PAGES.get(centre, (f"https://crm.zoho.{tld}", f"https://*.zohosandbox.{tld}"))
