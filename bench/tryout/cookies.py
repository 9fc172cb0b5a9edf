"""Which cookies does a visitor keep and send? All that the application has set, whatever it says about their host.

Applications that are served behind TLS mark theirs `Secure`. Browsers send these to their own machine without TLS too,
and Python's own policy does not (https://github.com/psf/requests/issues/6542): whoever logs in would stay a stranger.
The same holds for the domain of a cookie, since the application is asked at an address that it does not know.
"""

from http.cookiejar import Cookie, CookieJar, DefaultCookiePolicy
from urllib.request import Request

import httpx

__all__ = ["cookie_jar"]


class EveryCookie(DefaultCookiePolicy):
    """Keeps every cookie, and sends it wherever its path says until it has expired."""

    def set_ok(self, cookie: Cookie, request: Request) -> bool:
        return True

    def return_ok(self, cookie: Cookie, request: Request) -> bool:
        return not cookie.is_expired()

    def domain_return_ok(self, domain: str, request: Request) -> bool:
        return True


def cookie_jar() -> httpx.Cookies:
    """A jar without cookies."""
    return httpx.Cookies(CookieJar(EveryCookie()))
