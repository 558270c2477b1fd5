"""The modules of a room in the reference: a block ``modules`` names them, and each gets a heading.

It is expanded before the page is parsed, because no directive of Markdown may contain headings.
"""

import re

from docutils import nodes
from sphinx.application import Sphinx

BLOCK = re.compile(r"^```\{modules\}\n(.*?)```$", re.MULTILINE | re.DOTALL)
MODULE = """## `{name}`

```{{eval-rst}}
.. automodule:: {name}
   :members:
```
"""


def setup(app: Sphinx) -> None:
    """Connect to Sphinx."""
    app.connect("source-read", expand)
    app.connect("autodoc-process-docstring", drop_alias)
    app.connect("doctree-read", own_nodes)


def expand(app: Sphinx, docname: str, content: list[str]) -> None:
    """Replace the blocks of a page, whose text is the only entry of ``content``."""
    content[0] = BLOCK.sub(_headings, content[0])


def _headings(block: re.Match[str]) -> str:
    return "\n".join(MODULE.format(name=name) for name in block.group(1).split())


def drop_alias(app: Sphinx, what: str, name: str, given: object, options, lines: list[str]) -> None:
    """Drop what Python says of the fields of a named tuple, which is nothing."""
    if lines and lines[0].startswith("Alias for field number"):
        lines.clear()


def own_nodes(app: Sphinx, doctree: nodes.document) -> None:
    """Let nodes of ``eval-rst`` belong to their page: that has a document of its own, with all that
    Sphinx knows, and every page of the reference would be kept with a copy and load it again."""
    for node in doctree.findall():
        node.document = doctree
