"""Pages as a whole: generated parts in step, commands complete, links that lead somewhere, rules of wording."""

import re
import subprocess
import sys
import tomllib

import click
import pytest

from simulator import __version__
from simulator.cli import cli
from simulator.cli.exits import Exit

COG = "[[[cog"
_LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")
_PATH = re.compile(r"`((?:simulator|personas|locustfiles|tests|docs)/[\w./-]+)`")


def command_paths(command, path=()):
    """Yield (path, command) of the command line and of everything below it."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from command_paths(command.get_command(context, name), (*path, name))


COMMANDS = list(command_paths(cli))


@pytest.mark.timeout(180)
def test_generated_parts_are_in_step(root):
    """What cog writes into a page is what stands there; `make docs` writes it anew."""
    command = [sys.executable, "-m", "cogapp", "--check", "-r", *generated(root)]
    done = subprocess.run(command, check=False, cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def generated(root):
    """Return the pages with generated parts."""
    paths = [root / "README.md", *sorted((root / "docs").glob("*.md"))]
    return [str(path.relative_to(root)) for path in paths if COG in path.read_text(encoding="utf-8")]


def test_make_knows_every_generated_page(root):
    """`make check` and `make docs` look at all of them."""
    makefile = (root / "Makefile").read_text()
    for call in ("cog --check -r ", "cog -r "):
        [pages] = re.findall(rf"{re.escape(call)}(.*)", makefile)
        assert sorted(pages.split()) == sorted(generated(root))


@pytest.mark.parametrize(("path", "command"), COMMANDS, ids=[" ".join(("footfall", *path)) for path, _ in COMMANDS])
def test_every_option_stands_on_the_page(path, command, text):
    """The page on commands has a part for this one, which shows every option."""
    name = " ".join(("footfall", *path))
    parts = re.findall(rf"^## {name}\n(.*?)(?=^## )", text("docs/cli.md"), re.MULTILINE | re.DOTALL)
    assert len(parts) == 1
    shown = [option for parameter in command.params for option in parameter.opts if option.startswith("--")]
    assert [option for option in shown if option not in parts[0]] == []


@pytest.mark.parametrize("name", ["README.md", "docs/cli.md"])
def test_exit_codes_are_all_told(name, text):
    """The table of exit codes has those of the program, and no other."""
    cells = re.findall(r"^\|(?:[^|]*\|)?? *(\d+) *\|", text(name), re.MULTILINE)
    assert sorted(map(int, cells)) == sorted(Exit)


def test_own_options_of_locust_are_all_told(root, text):
    """Options that we add to Locust's command stand on the page on commands, and in the README's section."""
    source = (root / "simulator/worlds/live/plain.py").read_text()
    options = re.findall(r'add_argument\(\s*"(--[\w-]+)"', source)
    assert options
    assert [option for option in options if f"`{option}`" not in text("docs/cli.md")] == []


def test_links_lead_somewhere(page, text, root):
    """A link inside the project names a file that is there, and a heading that is in it."""
    broken = []
    for link in _LINK.findall(text(page)):
        if link.startswith("https://"):
            continue
        name, _, heading = link.partition("#")
        target = ((root / page).parent / name).resolve() if name else root / page
        if not target.is_file() or (heading and heading not in slugs(target.read_text(encoding="utf-8"))):
            broken.append(link)
    assert broken == []


def slugs(text):
    """Return the anchors of a page's headings."""
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_paths_exist(page, text, root):
    """A path in code style is a file or a folder of the checkout."""
    assert [path for path in _PATH.findall(text(page)) if not (root / path).exists()] == []


def test_study_is_told_with_both_of_its_sides(page, text):
    """70 % longer visits were found between sites of 5 s and sites of 19 s; no sentence may drop one of them."""
    sentences = re.split(r"(?<=[.:])\s", prose(text(page)))
    told = [sentence for sentence in sentences if re.search(r"70\s?% longer", sentence)]
    assert all("19 s" in sentence and "5 s" in sentence for sentence in told)


def test_changelog_begins_with_this_version(root, text):
    """The newest entry that is released is the version of the package and of the distribution."""
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    newest = re.search(r"^## (\d\S+)", text("CHANGELOG.md"), re.MULTILINE)[1]
    assert newest == __version__ == project["version"]


def test_figures_of_the_bench_are_all_told(root, text):
    """Every figure that the bench prints has a row on the page on performance, with its bar, and no row is of none."""
    figure = re.compile(r'at_(least|most)\(\s*f?"([^"{,]+(?:, one core)?)[^"]*",.*?, ([\d.]+)(?:,|\))', re.DOTALL)
    sources = "".join(path.read_text() for path in sorted((root / "tests/bench").glob("bench_*.py")))
    printed = {name.strip(): (kind, float(bar)) for kind, name, bar in figure.findall(sources)}
    rows = re.findall(r"^\| (\w+: [^|]+?) \| [^|]+ \| ([≥≤]) ([\d.]+)", text("docs/performance.md"), re.MULTILINE)
    assert {name: ({"≥": "least", "≤": "most"}[sign], float(bar)) for name, sign, bar in rows} == printed


def test_no_page_shouts(page, text):
    """No exclamation marks outside code."""
    assert "!" not in prose(text(page))


def prose(text):
    """Return a page without its code."""
    return re.sub(r"```.*?```|<!--.*?-->|`[^`]*`", "", text, flags=re.DOTALL)


def test_every_path_of_the_shop_is_told(text):
    """What the shop answers under /api, /ar, /s and /push stands in its page, the ends of long paths abbreviated."""
    from simulator.storefront.app import ROUTES  # noqa: PLC0415 - the only test that needs the shop

    told = text("docs/storefront.md")
    paths = {route.path for route in ROUTES} - {"/", "/p/{sku}", "/api/health"}
    missing = {path for path in paths if path not in told and f"…/{path.rpartition('/')[2]}" not in told}
    assert missing == {"/api/cart/items/{sku}"}
