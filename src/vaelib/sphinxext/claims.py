"""The directive ``claims``: the table of the original's claims and their verdicts.

``{claims}`` reads ``claims.yml`` and ``recorded/runs``; each claim links to its evidence, and each
verdict to the numbers behind it, the table that ``{claims} C5`` gives.
"""

from pathlib import Path

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

from vaelib.names import require


def setup(app: Sphinx) -> None:
    """Register the directive."""
    app.add_directive("claims", Claims)


class Claims(SphinxDirective):
    """All verdicts, or the parts of one."""

    optional_arguments = 1

    def run(self):
        """Judge the claims and return a table."""
        from vaelib import reproduction  # imports torch; only where a page asks for verdicts
        from vaelib.sphinxext.values import original_results

        book = Path(self.env.srcdir)
        table = book / "recorded" / "original" / "results.csv"
        runs = book / "recorded" / "runs"
        for file in (book / "claims.yml", table, *sorted(runs.glob("*.json"))):
            self.env.note_dependency(str(file))
        source, line = self.get_source_info()
        try:
            findings = reproduction.judge(
                reproduction.read_claims(book),
                reproduction.read_pairs(runs, "original"),
                original_results(table),
            )
            if not self.arguments:
                return [self._verdicts(findings)]
            require("claim", self.arguments[0], findings)
        except ValueError as error:
            raise ExtensionError(f"{source}:{line}: {error}") from error
        return [self._parts(findings[self.arguments[0]])]

    def _verdicts(self, findings: dict) -> nodes.table:
        rows = [
            [
                nodes.Text(identifier),
                nodes.Text(finding.claim),
                nodes.strong("", finding.verdict),
                self._link(finding.evidence),
            ]
            for identifier, finding in findings.items()
        ]
        return _table(["", "claim", "verdict", "evidence"], rows, [6, 54, 18, 22])

    def _parts(self, finding) -> nodes.table:
        rows = []
        for part in finding.parts:
            low, high = part.interval or part.values * 2
            rows.append(
                [
                    nodes.Text(part.name.replace("_", " ")),
                    nodes.Text("above 0" if part.claimed is None else f"{part.claimed:.3f}"),
                    nodes.Text(f"{sum(part.values) / len(part.values):.3f}"),
                    nodes.Text(f"{low:.3f} to {high:.3f}"),
                    nodes.Text(part.verdict),
                ]
            )
        heads = ["quantity", "original", "mean over seeds", "95 % interval", "verdict"]
        return _table(heads, rows, [30, 14, 16, 22, 18])

    def _link(self, document: str) -> pending_xref:
        link = pending_xref(
            "",
            nodes.inline("", ""),
            refdomain="std",
            reftype="doc",
            reftarget=f"/{document}",
            refexplicit=False,
            refdoc=self.env.docname,
            refwarn=True,
        )
        return link


def _table(heads: list[str], rows: list[list[nodes.Node]], widths: list[int]) -> nodes.table:
    group = nodes.tgroup("", *(nodes.colspec(colwidth=width) for width in widths), cols=len(widths))
    group += nodes.thead("", _row([nodes.Text(head) for head in heads]))
    group += nodes.tbody("", *(_row(row) for row in rows))
    return nodes.table("", group)


def _row(cells: list[nodes.Node]) -> nodes.row:
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", cell)) for cell in cells))
