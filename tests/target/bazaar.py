"""Another shop than ours: cookies instead of tokens, no subject in any answer, an edge that sets cookies of its own.

What it does wrong is said by names: a shop that does nothing wrong must give no alarm, though its lists differ by who
asks, learn from what everybody does, and some of them come out of a cache.
"""

from collections import Counter
from copy import deepcopy
from itertools import count
from pathlib import Path
from zlib import crc32

import orjson
from starlette.applications import Starlette
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CATEGORIES = ("shoes", "bags", "toys")
GOODS = [f"{category}-{nth}" for nth in range(6) for category in CATEGORIES]
TARGET = {
    "target": "bazaar",
    "auth": {"kind": "cookie"},
    "operations": {
        "session": {
            "method": "POST",
            "path": "/hello",
            "json": {
                "visitor": "{shopper.id}",
                "consent": {"personalization": "{consent.personalization}", "analytics": "{consent.analytics}"},
            },
        },
        "home": {"path": "/home", "extract": {"sku": "$.items[*]"}, "evidence": {"items": "$.items[*]"}},
        "category": {"path": "/shelf/{page.category}", "evidence": {"items": "$.items[*]"}},
        "product": {"path": "/goods/{extracted.sku}", "extract": {"viewed": "$.id"}},
        "login": {
            "method": "POST",
            "path": "/login",
            "json": {"email": "{shopper.email}"},
            "extract": {"account": "$.customer"},
        },
        "cart": {
            "path": "/baskets/{extracted.basket}",
            "evidence": {"items": "$.lines[*]"},
        },
        "add_to_cart": {
            "method": "POST",
            "path": "/basket",
            "json": {"id": "{extracted.viewed}"},
            "extract": {"basket": "$.basket"},
        },
        "purchase": {
            "method": "POST",
            "path": "/orders",
            "json": {"id": "{extracted.viewed}"},
            "extract": {"order": "$.order"},
        },
        "support": {"path": "/help", "query": {"order": "{extracted.order?}"}},
        "share": {
            "method": "POST",
            "path": "/shares",
            "json": {"id": "{extracted.viewed}"},
            "evidence": {"link": "$.link"},
        },
    },
    "categories": {"shoes": {"slug": "shoes", "queries": ["shoe"]}},
}


def target_file(folder: Path, **changed):
    """Write the target file, some operations of it changed, and return its path."""
    spec = deepcopy(TARGET)
    for operation, rest in changed.items():
        spec["operations"][operation] |= rest
    path = folder / "bazaar.yaml"
    path.write_bytes(orjson.dumps(spec))  # JSON is YAML, too
    return str(path)


class Bazaar:
    """The shop. `wrong` names its defects, `odd` what it does differently from ours and rightly."""

    def __init__(self, *wrong, odd=()):
        self.wrong, self.odd = set(wrong), set(odd)
        self.numbers = count(1)
        self.views = {}
        self.agreed = {}
        self.emails = {}
        self.baskets = {}
        self.orders = {}
        self.last = ""
        self.seen = Counter()
        self.pages = {}

    def app(self):
        """Return the application."""
        routes = {
            ("POST", "/hello"): self.hello,
            ("GET", "/home"): self.home,
            ("GET", "/shelf/{category}"): self.shelf,
            ("GET", "/goods/{id}"): self.goods,
            ("POST", "/login"): self.login,
            ("POST", "/basket"): self.put,
            ("GET", "/baskets/{basket}"): self.basket,
            ("POST", "/orders"): self.order,
            ("GET", "/help"): self.help,
            ("POST", "/shares"): self.share,
            ("GET", "/shared/{id}"): self.opened,
        }
        return Starlette(routes=[Route(path, answer, methods=[method]) for (method, path), answer in routes.items()])

    def who(self, request):
        """Return the session of a request, or nothing."""
        return request.cookies.get("shop_session", "")

    async def hello(self, request):
        """Begin a session; with `one_session`, the same for two visitors."""
        body, number = await request.json(), next(self.numbers)
        key = f"session-{number // 2 if 'one_session' in self.wrong else number:012d}"
        self.views.setdefault(key, [])
        self.agreed[key] = bool(body["consent"]["personalization"])
        answer = JSONResponse({}, headers={"Cache-Control": "no-store"})
        if "no_cookies" not in self.wrong:
            answer.set_cookie("shop_session", key, httponly=True)
        # What a balancer and a framework set is no session: every visitor gets the same.
        answer.set_cookie("AWSALB", "node-7-of-the-balancer")
        answer.set_cookie("flash_session", "eyJsYW5nIjoiZW4ifQ.sig-of-the-framework")
        return answer

    def listed(self, key):
        """Return the list for a session: what it looked at comes first, then what everybody looks at, then the rest."""
        order = sorted(GOODS, key=lambda one: -self.seen[one]) if "learns" in self.odd else GOODS
        mine = self.views.get(key, []) if self.agreed.get(key) or "no_consent" in self.wrong else []
        liked = [one for one in order if any(one.split("-")[0] == seen.split("-")[0] for seen in mine)]
        if "bought" not in self.wrong:
            liked = [one for one in liked if (key, one) not in self.orders.values()]
        rest = [one for one in order if one not in liked and (key, one) not in self.orders.values()]
        found = (liked + rest)[:8]
        if "shuffles" in self.odd:
            salt = next(self.numbers)
            found.sort(key=lambda one: crc32(f"{salt} {one}".encode()))
        return [] if "cold" in self.wrong and not mine else found

    async def home(self, request):
        """Show a list, which is this session's own; with `kept`, the one that was made last for the same address."""
        key, address = self.who(request), str(request.url)
        if "members_only" in self.odd and not key:
            return JSONResponse({"error": "who are you?"}, 401)
        fresh = {"items": self.listed(key)}
        headers = {"Cache-Control": "public, max-age=60" if "marked" in self.wrong else "private"}
        if "kept" in self.wrong:
            fresh = self.pages.setdefault(address, fresh)
        return JSONResponse(fresh, headers=headers)

    async def shelf(self, request):
        """Show a shelf, which is everybody's and comes out of a cache; its edge sets a cookie of its own."""
        category = request.path_params["category"]
        found = [one for one in GOODS if one.startswith(category)] if "empty_shelf" not in self.odd else []
        answer = JSONResponse({"items": found}, headers={"Cache-Control": "public, max-age=60", "Age": "12"})
        answer.set_cookie("__cf_bm", "of-the-edge-and-not-of-the-shop")
        if "cookie_kept" in self.wrong:
            answer.set_cookie("shop_session", "session-of-whoever-came-first")
        return answer

    async def goods(self, request):
        """Show a thing, and remember who looked at it."""
        found = request.path_params["id"]
        self.views.setdefault(self.who(request), []).append(found)
        self.seen[found] += 1
        return JSONResponse({"id": found})

    async def login(self, request):
        """Log in."""
        key = self.who(request)
        self.emails[key] = (await request.json())["email"]
        return JSONResponse({"customer": f"customer-{key}"})

    async def put(self, request):
        """Put a thing into the basket; with `one_basket`, everybody's."""
        key = self.who(request)
        name = "basket-of-everybody" if "one_basket" in self.wrong else f"basket-{key}"
        self.baskets.setdefault(name, []).append((await request.json())["id"])
        return JSONResponse({"basket": name})

    async def basket(self, request):
        """Show a basket to whose it is; with `open`, to whoever knows its name. `own_only` ignores the name."""
        key, name = self.who(request), request.path_params["basket"]
        if "own_only" in self.odd:
            name = f"basket-{key}"
        if "shell" in self.odd and name != f"basket-{key}":
            return Response(f"<html>Please log in to see {name}</html>", media_type="text/html")
        if "open" not in self.wrong and name != f"basket-{key}":
            return JSONResponse({"error": "no such basket"}, 404)
        return JSONResponse({"basket": name, "lines": self.baskets.get(name, [])})

    async def order(self, request):
        """Buy."""
        name = f"order-{next(self.numbers):08d}"
        self.orders[name] = self.who(request), (await request.json())["id"]
        return JSONResponse({"order": name})

    async def help(self, request):
        """Answer whoever asks by name; with `last_caller`, by the name of whoever asked before."""
        key = self.who(request)
        email = self.emails.get(self.last if "last_caller" in self.wrong else key, "")
        self.last = key
        return JSONResponse({"for": email, "text": "We are here to help."})

    async def share(self, request):
        """Make a link; with `link`, with the session in it."""
        tail = f"?s={self.who(request)}" if "link" in self.wrong else "?ref=friends"
        return JSONResponse({"link": f"/shared/{(await request.json())['id']}{tail}", "session": self.who(request)})

    async def opened(self, request):
        """Lead to what was shared; with `hands_on`, as whoever shared it."""
        answer = RedirectResponse(f"/goods/{request.path_params['id']}", 302)
        if "hands_on" in self.wrong:
            answer.set_cookie("shop_session", sorted(self.views)[-2])
        return answer
