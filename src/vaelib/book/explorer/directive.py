"""The directive ``explorer``: the part of a page in which a reader draws digits; the role ``view``.

``{explorer} bce-elbo odds`` places it for these runs, the first chosen at the beginning: runs of
the build, or an objective's recorded one. Only the page that has it loads its scripts.
``{view}`run=mse-elbo;image=two modes;z=peak``` is a step of its tour: a link that shows something
there (``script/address.js`` says what can be named). In print there is nothing of them.
"""

import html
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

from vaelib.book.explorer.export import script
from vaelib.book.explorer.join import HERE, joined, markup
from vaelib.plumbing.files import write_bytes

STATIC = "explorer"  # folder in the site's _static


class View(nodes.Inline, nodes.Element):
    """A link to a view; it has its fragment."""


class Explorer(nodes.General, nodes.Element):
    """The part of the page; it has the names of its runs."""


def setup(app: Sphinx) -> None:
    """Register the directive and connect to Sphinx."""
    nothing = (skip, None)
    app.add_node(Explorer, html=(write_markup, None), latex=nothing, text=nothing)
    app.add_node(View, html=(write_link, None), latex=nothing, text=nothing)
    app.add_directive("explorer", ExplorerDirective)
    app.add_role("view", view)
    app.connect("html-page-context", place_scripts)


class ExplorerDirective(SphinxDirective):
    """Place the explorer of some runs."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Return the part; the page is written again when its runs have changed."""
        from vaelib.book.explorer.sources import files  # imports PyTorch, which takes seconds

        source, line = self.get_source_info()
        for name in self.arguments[0].split():
            for file in files(Path(self.env.srcdir), name):
                if not file.exists():
                    raise ExtensionError(f"{source}:{line}: the explorer of {name} needs {file}")
                self.env.note_dependency(str(file))
        return [Explorer(runs=self.arguments[0].split())]


def write_markup(visitor, node: Explorer) -> None:
    """Write the markup, with a choice of the runs."""
    visitor.body.append(markup(node["runs"]))
    raise nodes.SkipNode


def view(name, rawtext, text, lineno, inliner, options=None, content=()) -> tuple[list, list]:
    """Make the link of a step."""
    return [View(fragment=f"#explorer;{text}")], []


def write_link(visitor, node: View) -> None:
    """Write the link."""
    visitor.body.append(f'<a href="{html.escape(node["fragment"])}">Show it.</a>')
    raise nodes.SkipNode


def skip(visitor, node: Explorer) -> None:
    """Leave it out."""
    raise nodes.SkipNode


def place_scripts(app: Sphinx, pagename: str, template: str, context: dict, doctree) -> None:
    """Write the scripts beside the page that has the explorer, and let it load them."""
    part = doctree.next_node(Explorer) if doctree else None
    if not part:
        return
    from vaelib.book.explorer.sources import data_of, files  # as above

    target = Path(app.outdir) / "_static" / STATIC
    target.mkdir(parents=True, exist_ok=True)
    for name in part["runs"]:
        made = data_of(*files(Path(app.srcdir), name))
        write_bytes(script(name, made).encode(), target / f"{name}.js")
    write_bytes(joined(HERE / "script", "main").encode(), target / "explorer.js")
    write_bytes((HERE / "explorer.css").read_bytes(), target / "explorer.css")
    app.add_js_file(f"{STATIC}/explorer.js", loading_method="defer")
    app.add_css_file(f"{STATIC}/explorer.css")
