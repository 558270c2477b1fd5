"""How works are named in the list of references."""

import pytest
from pybtex.database import Entry, Person

from vaelib.book.site.bibliography import Labels


def work(*authors, **fields):
    persons = {"author": [Person(name) for name in authors]} if authors else {}
    entry = Entry("article", fields=fields, persons=persons)
    entry.key = "some2018"
    return entry


@pytest.mark.parametrize(
    ("authors", "label"),
    [
        (["Morresi, Ana Paula"], "Morresi, 2018"),
        (["Cover, Thomas M.", r"Sch{\"o}lkopf, Bernhard"], "Cover and Schölkopf, 2018"),
        (["van den Oord, Aaron", "B, C", "D, E"], "van den Oord et al., 2018"),
    ],
)
def test_a_work_is_named_by_family_names_and_year(authors, label):
    assert list(Labels().format_labels([work(*authors, year="2018")])) == [label]


@pytest.mark.parametrize("entry", [work(year="2018"), work("A, B")], ids=["author", "year"])
def test_a_work_without_author_or_year_is_refused(entry):
    with pytest.raises(ValueError, match="some2018 has no author or no year"):
        list(Labels().format_labels([entry]))
