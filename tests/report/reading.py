"""Reading an HTML report back: elements, links, text, and whether it is well formed."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"meta", "br", "hr", "img", "input", "link"}


class Page(HTMLParser):
    """A parsed page: every element with its attributes, the text, and nesting faults."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements = []
        self.faults = []
        self.style = ""
        self._words = []
        self._open = []
        self.feed(text)
        self.faults += [f"<{tag}> is never closed" for tag in self._open]

    @property
    def words(self):
        """Return the visible text, spaces collapsed and narrow ones plain."""
        return " ".join("".join(self._words).replace("\u202f", " ").split())

    def all(self, tag):
        """Return the attributes of every element of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]

    def handle_starttag(self, tag, attrs):
        """Note an element that begins."""
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        """Note an element without content."""
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        """Note an element that ends where it should not."""
        if not self._open or self._open.pop() != tag:
            self.faults.append(f"</{tag}> closes something else at {self.getpos()}")

    def handle_data(self, data):
        """Keep text and style apart."""
        if self._open and self._open[-1] == "style":
            self.style += data
        else:
            self._words += [data, " "]
