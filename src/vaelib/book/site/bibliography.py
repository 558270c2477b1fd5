"""The list of references: each named as the text cites it, by family names and year."""

from collections.abc import Iterator

from pybtex.database import Entry
from pybtex.plugin import register_plugin
from pybtex.style.formatting.plain import Style
from pybtex.style.labels import BaseLabelStyle
from sphinx.application import Sphinx

NAME = "by_author_and_year"  # bibtex_default_style in _config.yml


def setup(app: Sphinx) -> None:
    """Offer the style to the directive ``bibliography``."""
    register_plugin("pybtex.style.labels", NAME, Labels)
    register_plugin("pybtex.style.formatting", NAME, ByAuthorAndYear)


class Labels(BaseLabelStyle):
    """Labels such as "Cremer et al., 2018"."""

    def format_labels(self, entries: list[Entry]) -> Iterator[str]:
        """Return the label of each entry; raise ValueError for one without author or year."""
        for entry in entries:
            if not (entry.persons.get("author") and entry.fields.get("year")):
                raise ValueError(f"the work {entry.key} has no author or no year; expected both")
            names = [
                " ".join(map(str, person.rich_prelast_names + person.rich_last_names))
                for person in entry.persons["author"]
            ]
            who = f"{names[0]} et al." if len(names) > 2 else " and ".join(names)
            yield f"{who}, {entry.fields['year']}"


class ByAuthorAndYear(Style):
    """The style ``plain``, with family names first and given names abbreviated."""

    default_name_style = "lastfirst"
    default_label_style = NAME

    def __init__(self):
        super().__init__(abbreviate_names=True)
