"""Numbered tables that directives print, and ``rows``: a table with one template for all its rows.

``{rows} schedules:summary`` has a row for each key of the entry ``summary`` of
``recorded/schedules.json``; the place is written as for the role ``value``. The content is two
lines of a Markdown table, the heads and the template of a row, and then the caption. In the
template, ``{key}`` stands for the key and ``{label}`` for its label. The option ``labels``, a YAML
mapping, chooses and orders the keys and gives each a label; a key may be a path. The option
``widths`` has those of the columns.
"""

from pathlib import Path

import yaml
from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

from vaelib.book.directives.values import find
from vaelib.plumbing.files import DamagedError


def setup(app: Sphinx) -> None:
    """Register the directive."""
    app.add_directive("rows", Rows)


class TableDirective(SphinxDirective):
    """A directive whose content is a caption; the option ``name`` is required."""

    has_content = True
    option_spec = {"name": directives.unchanged_required}  # noqa: RUF012

    def table(
        self, rows: list[list[str]], widths: str = "auto", before: int = 0
    ) -> list[nodes.Node]:
        """Return a table; the first row has the heads, and each cell is Markdown.

        In print, a table of more than ten rows with given widths may break between pages. The
        caption is the content but for as many lines as stand ``before`` it.
        """
        lines = [
            f":::{{list-table}} {' '.join(self.content[before:])}",
            ":header-rows: 1",
            f":widths: {widths}",
            f":name: {self.options['name']}",
            *([":class: longtable"] if len(rows) > 11 and widths != "auto" else []),
            "",
        ]
        for first, *others in rows:
            lines += [f"* - {first}", *(f"  - {other}" for other in others)]
        return markdown(self, [*lines, ":::"])


class Rows(TableDirective):
    """A table with a row for each key of a recorded entry."""

    required_arguments = 1
    option_spec = TableDirective.option_spec | {
        "labels": directives.unchanged_required,
        "widths": directives.unchanged_required,
    }

    def run(self) -> list[nodes.Node]:
        """Return a numbered table."""
        try:
            record, file = find(Path(self.env.srcdir), *self.arguments[0].split(":"))
        except (ValueError, OSError, DamagedError) as error:
            raise ExtensionError(f"{self.get_location()}: {error}") from error
        self.env.note_dependency(str(file))
        labels = yaml.safe_load(self.options.get("labels", "")) or {key: key for key in record}
        heads, template = self.content[:2]
        rows = rows_of(heads, template, labels)
        return self.table(rows, self.options.get("widths", "auto"), before=2)


def rows_of(heads: str, template: str, labels: dict[str, str]) -> list[list[str]]:
    """Fill the template of a row once for each key.

    Args:
        heads: ``| head | head |``.
        template: ``| cell | cell |``, with ``{key}`` and ``{label}`` where these belong.
        labels: key → label.

    Returns:
        The rows, the heads first.
    """

    def cells(line: str) -> list[str]:
        return [cell.strip() for cell in line.strip().strip("|").split("|")]

    return [
        cells(heads),
        *(
            [cell.replace("{key}", key).replace("{label}", label) for cell in cells(template)]
            for key, label in labels.items()
        ),
    ]


def markdown(directive: SphinxDirective, lines: list[str]) -> list[nodes.Node]:
    """Parse Markdown where a directive stands."""
    source, _ = directive.get_source_info()
    holder = nodes.Element()
    directive.state.nested_parse(StringList(lines, source), directive.content_offset, holder)
    return holder.children
