"""The reference: a room's modules, a heading each, and no empty words."""

from docutils.nodes import paragraph
from docutils.utils import new_document

from vaelib.book.directives.modules import drop_alias, expand, own_nodes
from vaelib.vae.model import Posterior


def test_each_module_of_a_room_gets_a_heading_and_its_docstrings():
    page = ["# A room\n\nIts lead.\n\n```{modules}\nvaelib.data\nvaelib.vae.model\n```\n"]
    expand(None, "api/room", page)
    lines = page[0].splitlines()
    assert [line for line in lines if line.startswith("#")] == [
        "# A room",
        "## `vaelib.data`",
        "## `vaelib.vae.model`",
    ]
    assert lines.count("   :members:") == 2
    assert "{modules}" not in page[0]


def test_fields_of_a_named_tuple_are_not_called_aliases():
    lines = Posterior.mean.__doc__.splitlines()
    drop_alias(None, "attribute", "mean", Posterior.mean, None, lines)
    assert lines == []
    kept = Posterior.__doc__.splitlines()
    drop_alias(None, "class", "Posterior", Posterior, None, kept)
    assert kept == Posterior.__doc__.splitlines()


def test_a_page_keeps_no_other_document():
    page, other = new_document("page"), new_document("other")
    other.settings.env = "all that Sphinx knows"
    node = paragraph("", "text")
    other += node
    other.remove(node)
    page += node
    node.document = other
    own_nodes(None, page)
    assert all(one.document is page for one in page.findall())
