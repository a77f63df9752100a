"""Whatever a page, an address or a reader's storage holds, no script of theirs runs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect

from codediff.directive.nodes import codediff, sides
from conftest import Built, build_set, run_pytest

from .conftest import serve
from .probe import block, blocks, codes, views

PAYLOADS = (
    "<script>hit()</script>",
    "</script><script>hit()</script>",
    "</pre></div><img src=x onerror=hit()>",
    '"><svg/onload=hit()>',
    "' autofocus onfocus='hit()",
    '" style="animation:x" onanimationstart="hit()',
    "javascript:hit()",
    "--><script>hit()</script><!--",
    "]]><script>hit()</script>",
    "</title></textarea></style></noscript><script>hit()</script>",
    "&lt;script&gt;hit()&lt;/script&gt;",
    "&#60;script&#62;hit()&#60;/script&#62;",
    "{{ hit() }} {% raw %} ${hit()} %s {0} {}",
    "\\u003cscript\\u003ehit()\\u003c/script\\u003e \\x3cscript>",
    "__proto__",
    "constructor",
    "unified",
    "0",
    "\u202e\u2066<b onclick=hit()>\0\x01\x1b[31m\x7f\ufeff\u200b|",
    "A | B ; 'C' \"D\" `E",
)
# Not clicked: links to javascript:, which authors can write in a title as in any text of Sphinx.
USE = """block => block.querySelectorAll("*").forEach((part) => {
  part.dispatchEvent(new MouseEvent("mouseover", { bubbles: true }));
  part.focus();
  if (part.matches("a:not([href^='javascript:']), button, summary, [onclick]")) part.click();
})"""
HIT = "window.hit = () => { window.isHit = true; }; window.alert = window.hit;"
PLAIN = """
Index
=====

.. codediff::
   :title: Left, Right
   :name: plain
   :sync:

   a = 1
   ---
   a = 2
"""


def escaped(text: str) -> str:
    """Return a text for reStructuredText without any markup; a comma would end a title."""
    return re.sub(r"([^\w\s\0])", r"\\\1", text.replace(",", ";"))


def page(number: int, payload: str) -> str:
    """Return a page that has a payload wherever an author can write something."""
    code = payload.replace("\n", " ")
    bare = payload.replace(",", ";")
    return f"""
Page
====

.. _link-{number}: javascript:hit()

.. codediff::
   :title: {escaped(payload)}, `link <javascript:hit()>`__ link-{number}_ {escaped(payload)}
   :caption: {escaped(payload)} link-{number}_
   :name: {payload}
   :class: {payload}
   :sync:
   :context: 0
   :linenos:
   :groups: {bare}, b

   equal = 1
   equal = 2
   {code}
   x = "{code}"
   ---
   equal = 1
   equal = 2
   # {code}
   x = "{code}"  #!

.. highlight:: {"".join(payload.split())}

.. codediff::
   :title: {bare}, ``{bare}``
   :language: {payload}
   :view: {payload}
   :highlight: {payload}
   :context: {payload}
   :lineno-start: {payload}
   :env: {payload}
   :skip-test: {payload}
   :raises: {payload}
   :file: {payload}
   :{payload}: {payload}

   {code}
   ---
   {code} {code}

.. highlight:: python

.. codediff::
   :title: {escaped(payload)}, Other
   :groups: {bare}, other
   :file: {quoted(payload)}, plain.py

.. codediff-programs::
"""


def quoted(payload: str) -> str:
    """Return the name of a file that is as near to the payload as a file system allows."""
    return re.sub(r"[/\0\n,`]", "", payload).strip() or "empty"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Return the built pages; those who ran them have left hostile results as well."""
    source = tmp_path_factory.mktemp("hostile") / "source"
    source.mkdir()
    (source / "conf.py").write_text(
        "extensions = ['codediff']\nhtml_theme = 'alabaster'\ncodediff_results = 'results.json'\n"
    )
    (source / "index.rst").write_text(PLAIN)
    (source / "plain.py").write_text("value = 1\n")
    for number, payload in enumerate(PAYLOADS):
        (source / f"page{number}.rst").write_text(page(number, payload), "utf-8")
        (source / quoted(payload)).write_text(f"value = {payload!r}\n", "utf-8")
    run_pytest(source.parent, "--codediff", "source", "-p", "no:cacheprovider")
    results = source / "results.json"
    known = json.loads(results.read_text("utf-8"))
    for number, result in enumerate(known["results"].values()):
        payload = PAYLOADS[number % len(PAYLOADS)]
        result |= {"python": payload, "versions": {payload: payload}}
    assert known["results"], "no block would be stamped"
    results.write_text(json.dumps(known), "utf-8")
    return build_set(source, source.parent / "build")


@pytest.fixture
def reader(hostile: Built, browser: Browser) -> Iterator[Page]:
    """Return a page whose payloads would set a flag."""
    with serve(hostile.outdir) as url, browser.new_context(base_url=url) as context:
        context.add_init_script(HIT)
        context.set_default_timeout(5_000)
        yield context.new_page()


def use(page: Page) -> None:
    """Do with each block what a reader can do, and see that no payload has run."""
    for shown in blocks(page):
        for view in range(len(views(shown))):
            shown.get_by_role("combobox").select_option(index=view)
            shown.evaluate(USE)
    page.wait_for_timeout(50)
    assert page.evaluate("window.isHit") is None


@pytest.mark.parametrize("number", range(len(PAYLOADS)))
def test_a_page_is_inert_and_says_what_its_author_wrote(
    number: int, hostile: Built, reader: Page
) -> None:
    reader.goto(f"page{number}.html")
    shown = list(hostile.doctree(f"page{number}").findall(codediff))
    assert shown
    assert codes(reader) == [
        [f"{code.astext()}\n" for _side, _title, code in sides(one)] for one in shown
    ]
    for node, element in zip(shown, blocks(reader), strict=True):
        titles = [heading.astext() for _side, heading, _code in sides(node)]
        assert element.locator(".codediff-title .caption-text").all_text_contents() == titles
        assert element.get_attribute("aria-label") == ", ".join(titles)
        options = element.locator("option").all_text_contents()
        assert options == ["Side by side", "Unified", *titles]
        labels = [one.get_attribute("aria-label") for one in element.locator("button").all()]
        assert labels == [f"Copy: {heading}" for heading in titles]
    foreign = reader.locator(".codediff-block").locator(
        "script, img, svg, iframe, style, [onerror], [onload], [onclick], [onfocus]"
    )
    expect(foreign).to_have_count(0)
    use(reader)


def test_what_storage_and_address_hold_is_inert(hostile: Built, reader: Page) -> None:
    for payload in PAYLOADS:
        reader.goto("index.html")
        reader.evaluate("value => localStorage.setItem('codediff: Left, Right', value)", payload)
        reader.goto(f"index.html?codediff={quote(payload, safe='')}")
        shown = block(reader, "plain")
        assert shown.get_attribute("data-view") in (None, "", "unified", "0")
        use(reader)
