"""A numbered table from rows of Markdown, for directives that make one."""

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective


class TableDirective(SphinxDirective):
    """A directive whose content is a caption; the option ``name`` is required."""

    has_content = True
    option_spec = {"name": directives.unchanged_required}  # noqa: RUF012

    def table(self, rows: list[list[str]], widths: str = "auto") -> list[nodes.Node]:
        """Return a table; the first row has the heads, and each cell is Markdown."""
        lines = [
            f":::{{list-table}} {' '.join(self.content)}",
            ":header-rows: 1",
            f":widths: {widths}",
            f":name: {self.options['name']}",
            "",
        ]
        for first, *others in rows:
            lines += [f"* - {first}", *(f"  - {other}" for other in others)]
        return markdown(self, [*lines, ":::"])


def markdown(directive: SphinxDirective, lines: list[str]) -> list[nodes.Node]:
    """Parse Markdown where a directive stands."""
    source, _ = directive.get_source_info()
    holder = nodes.Element()
    directive.state.nested_parse(StringList(lines, source), directive.content_offset, holder)
    return holder.children
