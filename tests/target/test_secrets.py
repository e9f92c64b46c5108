"""Secrets: read where they are named, sent as they are, shown nowhere, in whatever spelling they come back."""

import html
import json
import re
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote, quote_plus

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.target.check import somebody
from simulator.target.login import basic, split_login
from simulator.target.redaction import HEADER_SAFE, forget, hide, redacted, redacted_bytes, redacted_tree
from simulator.target.request import Request, load_target
from simulator.target.schema import parse_host
from simulator.target.secrets import SHORTEST, names_in, resolved, unset_in, why_unset

PATH_SAFE = "/:@!$&'()*+,;=~%"
KEY = 'k3y/+"ü<&>%\\s'
FILE = """target: mine
headers: {{X-Key: "${{env:SHOP_KEY}}"}}
operations:
  home: {{path: "/a/${{env:SHOP_KEY}}", query: {{key: "${{env:SHOP_KEY}}", who: "{{shopper.id}}"}}}}
  login: {{method: POST, path: /b, json: {{pin: "${{file:{pin}}}", both: "<${{env:SHOP_KEY}}>"}}}}
"""


@pytest.fixture
def target_file(tmp_path):
    """Return a function that writes a target file and returns its path."""

    def write(text):
        path = tmp_path / "mine.yaml"
        path.write_text(text)
        return str(path)

    return write


def test_secrets_are_sent_as_they_are(target_file, tmp_path, monkeypatch):
    """In header, path, query and body stands the secret, spelled as its place asks; JSON gets a string."""
    monkeypatch.setenv("SHOP_KEY", KEY)
    (tmp_path / "pin").write_text("098765\n")
    target = load_target(target_file(FILE.format(pin=tmp_path / "pin")))
    who = somebody(target)
    home, login = target.build("home", who), target.build("login", who)
    assert isinstance(home, Request)
    assert isinstance(login, Request)
    assert home.url.startswith(f"/a/{quote(KEY, safe=PATH_SAFE)}?key={quote(KEY, safe='')}&who=")
    assert home.headers["X-Key"] == quote(KEY, safe=HEADER_SAFE)
    assert orjson.loads(login.body) == {"pin": "098765", "both": f"<{KEY}>"}
    for text in (home.url, home.headers["X-Key"], login.body.decode()):
        assert "${env:SHOP_KEY}" in redacted(text)
    assert redacted(login.body.decode()).startswith(f'{{"pin":"${{file:{tmp_path}/pin}}"')


@pytest.mark.parametrize(
    ("value", "why"),
    [(None, "is not set in the environment"), ("", "is empty"), ("abc", "has fewer than 4 characters"), ("abcd", "")],
)
def test_what_can_be_no_secret(value, why):
    """A variable that is not set, empty, or too short to be told from other text cannot stand for a secret."""
    environment = {} if value is None else {"KEY": value}
    assert why_unset("KEY", environment).startswith(why)
    assert unset_in("a ${env:KEY} b", environment) == (["KEY"] if why else [])
    assert resolved("<${env:KEY}>", unset="-", environment=environment) == f"<{value or '-'}>"


def test_files_that_hold_no_secret(tmp_path):
    """A file that is not there, or no text, says so."""
    (tmp_path / "binary").write_bytes(b"\xff\xfe\xfd\xfc")
    assert why_unset(f"file:{tmp_path}/none") == "cannot be read (No such file or directory)"
    assert why_unset(f"file:{tmp_path}/binary") == "cannot be read (not UTF-8)"
    assert names_in(f"${{file:{tmp_path}/none}}${{env:A}}") == [f"file:{tmp_path}/none", "A"]


def comes_back(secret):
    """Return how others may write a secret down, their own way."""
    text = secret.encode()
    yield secret
    yield from (quote(secret), quote(secret, safe=""), quote_plus(secret))
    yield re.sub(r"%..", lambda found: found[0].lower(), quote(secret))
    if secret.isascii():
        yield from (secret.lower(), secret.upper())
    yield from (json.dumps({"a": secret}), orjson.dumps([secret]).decode(), json.dumps(secret).replace("/", "\\/"))
    yield from (html.escape(secret), html.escape(secret, quote=False), repr({"a": secret}))
    yield from (b64encode(text).decode(), urlsafe_b64encode(text).decode())


@settings(deadline=None)
@given(secret=st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=SHORTEST, max_size=40))
def test_no_spelling_comes_through(secret):
    """However a server writes a secret down, in text or bytes, what is shown holds the reference instead."""
    forget()
    hide(secret, "(shown)")
    for text in comes_back(secret):
        assert redacted(f"before {text} after").count("(shown)") >= 1
        assert redacted_bytes(f"before {text} after".encode()) == redacted(f"before {text} after").encode()
    assert redacted(f"<{secret}>") == "<(shown)>"


@settings(deadline=None)
@given(before=st.binary(max_size=9), after=st.binary(max_size=9))
def test_inside_longer_base64(before, after):
    """A secret within longer base64, at any of its three places, leaves at most two characters at each end."""
    forget()
    secret = "correct-horse-battery"
    hide(secret, "*")
    for encode in (b64encode, urlsafe_b64encode):
        text = encode(before + secret.encode() + after).decode()
        assert "*" in redacted(text)
        assert len(redacted(text)) <= len(text) - len(b64encode(secret.encode())) + 5


def test_trees_and_lines_of_keys():
    """Names and values of JSON are redacted, other types stay; a key of many lines is known line by line."""
    hide("line one of it\nshort\nanother long line\n", "*")
    tree = {"a": ["x another long line y", 1, None, True], "line one of it": ("short",)}
    assert redacted_tree(tree) == {"a": ["x * y", 1, None, True], "*": ("short",)}


@pytest.mark.parametrize(
    ("host", "public", "login"),
    [
        ("https://${env:LOGIN}@shop.example:8443/x/", "https://shop.example:8443/x", "${env:LOGIN}"),
        ("http://qa:${file:/run/secrets/p}@shop.example", "http://shop.example", "qa:${file:/run/secrets/p}"),
        ("http://shop.example", "http://shop.example", ""),
        ("http://shop.example/a@b", "http://shop.example/a@b", ""),
    ],
)
def test_a_login_is_named_not_written(host, public, login):
    """A base URL may name a login, which is not part of what is shown and called."""
    assert split_login(parse_host(host)) == (public, login)


@pytest.mark.parametrize("login", ["qa:hunter22", "hunter22", "${env:A}:hunter22", "qa:${env:A}x"])
def test_a_written_password_is_refused(login):
    """A password in the URL itself is refused with the way to name it, and is hidden in what is said."""
    with pytest.raises(ValueError, match=r"holds a password.*\$\{env:SHOP_PASSWORD\}"):
        parse_host(f"https://{login}@shop.example")
    assert "hunter22" not in redacted(f"is https://{login}@shop.example")


def test_a_login_is_sent_as_basic(monkeypatch):
    """A named login becomes RFC 7617's header; its base64 is as secret as itself."""
    monkeypatch.setenv("PASSWORD", "hunter22")
    header = basic("qa:${env:PASSWORD}")["Authorization"]
    assert header == "Basic " + b64encode(b"qa:hunter22").decode()
    assert redacted(f"a {header} b") == "a Basic ${login} b"
    assert redacted("a hunter22 b qa:hunter22") == "a ${env:PASSWORD} b ${login}"
    monkeypatch.delenv("PASSWORD")
    with pytest.raises(ValueError, match="needs PASSWORD, which is not set in the environment"):
        basic("qa:${env:PASSWORD}")
