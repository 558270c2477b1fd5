"""The directive ``statement``: an equation that is printed as it was proved.

``{statement} gaussian-kl`` is the displayed, numbered equation ``gaussian-kl`` of
:data:`vaelib.symbolic.STATEMENTS`. It is proved while the page is read; if the proof fails, so does
the build. The equation ends with a full stop, or with what the option ``end`` gives: a comma, or
nothing where the sentence goes on.
"""

from pathlib import Path

from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.directives.patches import MathDirective
from sphinx.errors import ExtensionError

from vaelib.plumbing.checks import require


def setup(app: Sphinx) -> None:
    """Register the directive."""
    app.add_directive("statement", StatementDirective)


class StatementDirective(MathDirective):
    """A numbered equation from the symbolic module."""

    has_content = False
    required_arguments = 1
    optional_arguments = 0
    option_spec = MathDirective.option_spec | {"end": directives.unchanged}

    def run(self):
        """Prove the statement and return it as a displayed equation with its label."""
        from vaelib import symbolic  # only where a page with a statement is read

        source, line = self.get_source_info()
        (label,) = self.arguments
        try:
            require("statement", label, symbolic.STATEMENTS)
            latex = symbolic.STATEMENTS[label]().latex
        except (ValueError, symbolic.NotProved) as error:
            raise ExtensionError(f"{source}:{line}: {error}") from error
        for file in sorted(Path(symbolic.__file__).parent.glob("*.py")):
            self.env.note_dependency(str(file))
        self.arguments = []
        self.options["label"] = label
        end = self.options.pop("end", ".")
        self.content = StringList([f"{latex} {end}"], source)
        return super().run()
