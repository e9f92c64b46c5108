"""The corpus served: three hosts, HTTP/1.1 without TLS and HTTP/2 with it, kernel TCP with CUBIC.

Run as a process of its own, in the shop's namespace: `python shop.py ADDRESS`; it ends with its standard input.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

sys.path.insert(0, str(Path(__file__).parent))

from corpus import PAGES, Page, noise, origin, picture, script, sheet

BY_NAME = {page.name: page for page in PAGES}
HTML, JS, CSS, PNG, FONT, JSON = (
    "text/html; charset=utf-8", "text/javascript", "text/css", "image/png", "font/woff2", "application/json",
)  # fmt: skip
STATIC_WAIT_S, THIRD_WAIT_S = 0.004, 0.03
FONT_KB = 24
LEAD = "Shoes for long ways, made to be mended, sent on the day of the order and taken back for a hundred days. "


def document(page: Page) -> bytes:
    """Return the page's HTML."""
    cdn, third = origin("cdn", page.protocol), origin("third", page.protocol)
    head = [f"<!doctype html><html lang=en><head><meta charset=utf-8><title>{page.name}</title>"]
    head.append("<meta name=viewport content='width=device-width,initial-scale=1'>")
    head += [f"<link rel=stylesheet href='/{page.name}/s{i}.css'>" for i in range(len(page.styles_kb))]
    head += [f"<script src='/{page.name}/sync{i}.js'></script>" for i in range(len(page.sync_kb))]
    head += [f"<script defer src='/{page.name}/defer{i}.js'></script>" for i in range(len(page.defer_kb))]
    head += [f"<script async src='{third}/{page.name}/async{i}.js'></script>" for i in range(len(page.async_kb))]
    body = ["</head><body><header class=f0><h1>Shop</h1></header><main id=main>"]
    if page.lcp in {"image", "image_high"}:
        high = " fetchpriority=high" if page.lcp == "image_high" else ""
        body.append(f"<img class=hero{high} src='{cdn}/{page.name}/hero.png' alt=hero>")
    if page.lcp == "text":
        body.append(f"<p class=lead>{LEAD * 5}</p>")
    body.append("<div id=late></div>")
    for i in range(max(page.cards, len(page.images_kb))):
        shown = f"<img src='{cdn}/{page.name}/i{i}.png' alt=''>" if i < len(page.images_kb) else ""
        body.append(f"<div class='card y{i}'>{shown}<b>Article {i}</b> <span>{i * 7 % 90 + 9}.90 €</span>"
                    f"<small>{noise(str(i), 40).hex()}</small></div>")  # fmt: skip
    body.append("</main></body></html>")
    return "\n".join(head + body).encode()


def after(page: Page, which: str, index: int) -> str:
    """Return what a script does once its work is done: load the next one, call the API, show what came."""
    steps = []
    last_defer = which == "defer" and index == len(page.defer_kb) - 1
    follows = 0 if last_defer else index + 1 if which == "chain" else len(page.chain)
    if follows < len(page.chain):
        steps.append(f"const s = document.createElement('script'); s.src = '/{page.name}/chain{follows}.js';"
                     "document.head.append(s);")  # fmt: skip
    if last_defer:
        cdn = origin("cdn", page.protocol)
        for i, wait in enumerate(page.calls_ms):
            show = ""
            if i == 0 and page.lcp == "image_late":
                show = (f"const m = new Image(); m.className = 'hero'; m.src = '{cdn}/{page.name}/hero.png';"
                        "document.getElementById('late').append(m);")  # fmt: skip
            elif i == 0 and page.lcp == "text_late":
                show = ("const p = document.createElement('p'); p.className = 'lead'; p.textContent = d.text;"
                        "document.getElementById('late').append(p);")  # fmt: skip
            steps.append(f"fetch('/{page.name}/api{i}?wait={wait}').then((r) => r.json()).then((d) => {{ {show} }});")
    return "\n".join(steps)


def content(page: Page, name: str) -> tuple[str, bytes] | None:
    """Return (type, body) of one of the page's files."""
    if not name:
        return HTML, document(page)
    stem, _, kind = name.partition(".")
    which, index = stem.rstrip("0123456789"), int(stem.lstrip("abcdefghijklmnopqrstuvwxyz") or 0)
    seed = f"{page.name}/{name}"
    if which in {"sync", "defer", "async", "chain"}:
        return JS, script(seed, getattr(page, which if which == "chain" else f"{which}_kb")[index], page.work,
                          after(page, which, index))  # fmt: skip
    if kind == "css":
        return CSS, sheet(seed, page.styles_kb[index]) + (fonts(page) if index == 0 else b"")
    if kind == "png":
        return PNG, picture(seed, page.hero_kb if which == "hero" else page.images_kb[index])
    if kind == "woff2":
        return FONT, noise(seed, FONT_KB * 1_000)
    return (JSON, ('{"text": "' + LEAD * 6 + '"}').encode()) if which == "api" else None


def fonts(page: Page) -> bytes:
    """Return the rules that make the page ask for its fonts."""
    cdn = origin("cdn", page.protocol)
    return "".join(
        f"@font-face{{font-family:f{i};font-display:swap;src:url({cdn}/{page.name}/f{i}.woff2)}}"
        f".{'card' if i else 'f0'}{{font-family:f{i},sans-serif}}\n"
        for i in range(page.fonts)
    ).encode()


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer one request, after the wait of its kind."""
    if scope["type"] == "lifespan":
        while (message := await receive())["type"] != "lifespan.shutdown":
            await send({"type": f"{message['type']}.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    _, name, file = (*scope["path"].split("/", 2), "", "")[:3]
    page = BY_NAME.get(name)
    found = content(page, file) if page else None
    kind, body = found or (HTML, b"not here")
    query = parse_qs(scope["query_string"].decode())
    host = dict(scope["headers"]).get(b"host", b"") or scope.get("authority", b"")
    wait_s = STATIC_WAIT_S
    if page and not file:
        wait_s = page.wait_ms / 1e3
    elif "wait" in query:
        wait_s = int(query["wait"][0]) / 1e3
    elif host.startswith(b"third"):
        wait_s = THIRD_WAIT_S
    await asyncio.sleep(wait_s)
    headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode()),
               (b"access-control-allow-origin", b"*"), (b"timing-allow-origin", b"*"),
               (b"cache-control", b"max-age=3600")]  # fmt: skip
    await send({"type": "http.response.start", "status": 200 if found else 404, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def certificate(folder: str) -> tuple[str, str]:
    """Return files of a certificate for the first host alone, so that no connection is shared between hosts."""
    cert, key = f"{folder}/cert.pem", f"{folder}/key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-days", "30",
         "-subj", "/CN=shop.test", "-addext", "subjectAltName=DNS:shop.test", "-keyout", key, "-out", cert],
        check=True, capture_output=True,
    )  # fmt: skip
    return cert, key


def listening(address: str, port: int) -> socket.socket:
    """Return a socket whose connections use CUBIC, as most servers' do."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"cubic")
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    made.bind((address, port))
    made.listen(512)
    return made


async def serve(address: str) -> None:
    """Serve until standard input ends."""
    from hypercorn.asyncio import serve as hypercorn_serve
    from hypercorn.config import Config

    for page in PAGES:  # the first visit must not wait for bytes to be made
        for _ in (document(page),):
            pass
    plain, secure = listening(address, 80), listening(address, 443)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(0, lambda: os.read(0, 1) or ended.set())
    with tempfile.TemporaryDirectory() as folder:
        config = Config()
        config.certfile, config.keyfile = certificate(folder)
        config.bind, config.insecure_bind = [f"fd://{secure.fileno()}"], [f"fd://{plain.fileno()}"]
        config.alpn_protocols, config.loglevel, config.keep_alive_timeout = ["h2"], "ERROR", 60
        print("ready", flush=True)
        await hypercorn_serve(app, config, shutdown_trigger=ended.wait)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
