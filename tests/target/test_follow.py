"""Long answers, things that appear later, accounts: what takes more than one request, always bounded."""

import orjson
import pytest

from simulator.model.faults import FileFaults
from simulator.target.follow import ELSEWHERE
from simulator.target.request import Skipped, load_target

BASE = "http://shop.example/v1"


def play(target, operation, context, answers):
    """Return (URLs asked, waits, last answer) of one call, answered one after another."""
    request, urls, waits = target.build(operation, context), [], []
    for status, headers, body in answers:
        urls.append(request.url)
        answer = target.read(operation, status, headers, orjson.dumps(body))
        again = target.again(request, answer, context)
        context.learn(answer)
        if again is None:
            return urls, waits, answer
        request, wait_s = again
        waits.append(wait_s)
    pytest.fail("asked for more than was told")


def page(*skus, **more):
    """Return an answer with items."""
    return 200, {}, {"items": list(skus)} | more


PAGED = """
search:
  path: /s
  query: {q: a, after: "{paging.cursor?}", page: "{paging.number}"}
  extract: {sku: "$.items[*]?"}
  paging: {next: $.next?, most: 3}
"""


def test_a_long_answer_is_read_to_its_end(target_of, shopper):
    """The cursor of each part asks for the next; candidates of all parts count, and nothing of it stays behind."""
    target = target_of(PAGED)
    context = shopper(target)
    urls, waits, answer = play(target, "search", context, [page("A", next="c&1"), page("B", next=7), page("C")])
    assert urls == ["/s?q=a&page=1", "/s?q=a&page=2&after=c%261", "/s?q=a&page=3&after=7"]
    assert (waits, answer.ok, context.values["extracted.sku"]) == ([0.0, 0.0], True, ("A", "B", "C"))
    assert target.build("search", context).url == "/s?q=a&page=1"


ENDS = {
    "the number of parts": [page("A", next=1), page("B", next=2), page("C", next=3)],
    "an empty cursor": [page("A", next="")],
    "null": [page("A", next=None)],
    "false": [page("A", next=False)],
    "a cursor that is no value": [page("A", next={"x": 1})],
    "an error": [page("A", next=1), (500, {}, {})],
    "an answer that is no list": [page("A", next=1), (200, {}, {"items": 3})],
}


@pytest.mark.parametrize("answers", ENDS.values(), ids=ENDS)
def test_a_long_answer_ends(target_of, shopper, answers):
    """There is no further request once a part says so, or the file does."""
    target = target_of(PAGED)
    assert len(play(target, "search", shopper(target), answers)[0]) == len(answers)


LINKS = {
    "an absolute link": (f"{BASE}/s?p=2", "/s?p=2"),
    "a relative one": ("/v1/s?p=2", "/s?p=2"),
    "another host": ("http://other.example/v1/s?p=2", None),
    "another scheme": ("https://shop.example/v1/s", None),
    "above the base URL": ("/s?p=2", None),
    "no link at all": ("http://[", None),
}


@pytest.mark.parametrize(("link", "url"), LINKS.values(), ids=LINKS)
def test_a_link_is_followed_within_the_target(target_of, shopper, link, url):
    """`Link: …; rel=next` is followed below the base URL; anywhere else nothing is sent."""
    target = target_of(
        "search:\n  path: /s\n  paging:\n    link: true\n"
        "    next: {header: Link, regex: '<([^>]*)>; rel=\"next\"', optional: true}"
    )
    target.base_url = BASE
    first = (200, {"link": f'<{link}>; rel="next"'}, {})
    urls, _, answer = play(target, "search", shopper(target), [first, (200, {}, {})])
    assert urls == (["/s", url] if url else ["/s"])
    assert answer.error == ("" if url else ELSEWHERE)


POLLED = """
track:
  path: /seen
  extract: {seen: $.count?}
  poll: {until: $.count?, status: [404], every: 200ms, most: 3}
"""
LOOKS = {
    "seen at once": ([(200, {}, {"count": 2})], [], ""),
    "seen later": ([(404, {}, {}), (200, {}, {"count": None}), (200, {}, {"count": 1})], [0.2, 0.2], ""),
    "never seen": ([(404, {}, {})] * 3, [0.2, 0.2], "not seen in 3 looks"),
    "another failure ends it": ([(404, {}, {}), (500, {}, {})], [0.2], "status 500"),
}


@pytest.mark.parametrize(("answers", "waits", "error"), LOOKS.values(), ids=LOOKS)
def test_what_appears_later_is_looked_for(target_of, shopper, answers, waits, error):
    """A call is repeated until something is seen, at its pace, and at most as often as the file says."""
    answers = [
        (status, headers, body if body != {"count": 0} else {"count": None}) for status, headers, body in answers
    ]
    target = target_of(POLLED)
    context = shopper(target)
    _, waited, answer = play(target, "track", context, answers)
    assert (waited, answer.error) == (waits, error)
    assert ("track" in context.made) == (not error)


ACCOUNTS = """target: t
accounts: {{file: people.csv, share: {share}}}
setup:
  sign_in: {{method: POST, path: /in, form: {{e: "{{account.email}}"}}, extract: {{token: $.token}}, each: account}}
operations:
  login: {{method: POST, path: /login, json: {{email: "{{account.email}}", pin: "{{account.pin}}"}}}}
  home: {{path: /, query: {{t: "{{extracted.token}}"}}}}
"""


@pytest.fixture
def accounts(target_file, tmp_path):
    """Return a function that writes accounts beside a target file and loads it."""

    def load(text, share="false"):
        (tmp_path / "people.csv").write_text(text, encoding="utf-8")
        return load_target(target_file(ACCOUNTS.format(share=share)))

    return load


def test_everybody_has_an_account_of_their_own(accounts, shopper):
    """Shopper n has row n of the file; whoever finds none left does not log in as somebody else."""
    target = accounts("\ufeffemail,pin\na@x.example,0012\nب@x.example,7\n")
    bodies = [target.build("login", shopper(target, shopper=n)) for n in (0, 1, 2)]
    assert orjson.loads(bodies[0].body) == {"email": "a@x.example", "pin": "0012"}
    assert orjson.loads(bodies[1].body)["email"] == "ب@x.example"
    assert bodies[2].reason == "no account is left"


def test_shared_accounts_are_dealt_by_key(accounts, shopper):
    """With `share` everybody has one, the same in every visit, and all are used."""
    target = accounts("email,pin\n" + "".join(f"p{n}@x.example,{n}\n" for n in range(4)), share="true")
    dealt = [shopper(target, shopper=n).values["account.pin"] for n in range(64)]
    assert dealt == [shopper(target, shopper=n, visit=3).values["account.pin"] for n in range(64)]
    assert set(dealt) == {"0", "1", "2", "3"}


def test_setup_for_each_account(accounts, shopper):
    """A setup call made for each account sends its row, and what it told belongs to who has the account."""
    target = accounts("email,pin\na@x.example,1\nb@x.example,2\n")
    context, sent = shopper(target, shopper=9), []
    for number, _ in enumerate(target.turns("setup.sign_in", context)):
        sent.append(target.build("setup.sign_in", context).body)
        context.learn(target.read("setup.sign_in", 200, {}, orjson.dumps({"token": f"T{number}"})))
    assert sent == [b"e=a%40x.example", b"e=b%40x.example"]
    assert [target.build("home", shopper(target, shopper=n)).url for n in (0, 1)] == ["/?t=T0", "/?t=T1"]
    assert isinstance(target.build("home", shopper(target, shopper=2)), Skipped)
    assert "extracted.token" not in context.values


def test_accounts_made_on_the_fly(target_of, shopper):
    """A call made once a shopper is made in their first visit, and known in the later ones; others make their own."""
    target = target_of(
        "identify: {method: POST, path: /new, json: {e: '{shopper.email}'}, extract: {id: $.id}, once: shopper}\n"
        "home: {path: '/u/{extracted.id}'}",
        "opening: [identify]\n",
    )
    first = shopper(target)
    first.learn(target.read("identify", 500, {}, b""))
    assert not isinstance(target.build("identify", first), Skipped)
    first.learn(target.read("identify", 201, {}, b'{"id": "u-17"}'))
    later = shopper(target, visit=1)
    assert target.build("identify", later).reason == "already made by this shopper"
    assert target.build("home", later).url == "/u/u-17"
    assert not isinstance(target.build("identify", shopper(target, shopper=18)), Skipped)


BAD_ACCOUNTS = {
    "a row too short": ("email,pin\na\nb,2\n", "people.csv:2: has 1 cells, needs 2"),
    "a column twice": ("email,pin,pin\n", "people.csv:1: has the column 'pin' twice, each needs a name of its own"),
    "a column that is no name": (
        "email,pin,My Pin\nx,1,2\n",
        "people.csv:1: has a column 'My Pin', names are of small",
    ),
    "nobody": ("email,pin\n", "people.csv: holds no account, needs a header and a row an account"),
    "an open quote": ('email,pin\n"a,1\n', "people.csv: cannot be read (unexpected end of data)"),
}


@pytest.mark.parametrize(("text", "told"), BAD_ACCOUNTS.values(), ids=BAD_ACCOUNTS)
def test_a_file_of_accounts_is_checked(accounts, text, told):
    """Whatever is wrong with the rows is told with its line."""
    with pytest.raises(FileFaults) as found:
        accounts(text)
    assert any(str(fault).startswith(told) for fault in found.value.faults), found.value


def test_a_file_of_accounts_that_is_not_there(target_file):
    """A missing file is told, and where it was looked for."""
    with pytest.raises(FileFaults, match=r"names .account\.email|does not exist"):
        load_target(target_file(ACCOUNTS.format(share="false")))
