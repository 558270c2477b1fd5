"""How numbers are set on pages."""

import pytest
from docutils import nodes

from vaelib.book.site.typography import align_numbers, as_set, set_numbers


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("-143.19 (-143.70 to -142.67)", "−143.19 (−143.70\xa0to\xa0−142.67)"),
        ("76% and 95 %, 12.5%", "76\xa0% and 95\xa0%, 12.5\xa0%"),
        ("5% to 7%", "5\xa0%\xa0to\xa07\xa0%"),
        (
            "on 2026-11-28, a well-known 3-2 and [-1, 1]",
            "on 2026-11-28, a well-known 3-2 and [−1, 1]",
        ),
        ("back to 4 runs", "back to 4 runs"),
        ("1.3e-06, 2e+09 and e-mail", "1.3\xa0·\xa010⁻⁶, 2\xa0·\xa010⁹ and e-mail"),
    ],
)
def test_numbers_are_set(written, expected):
    assert as_set(written) == expected


def test_code_and_formulas_stay_as_they_are():
    page = nodes.document(None, None)
    page += nodes.paragraph(
        "", "", nodes.Text("at -1 "), nodes.literal("", "-1"), nodes.math("", "-1")
    )
    page += nodes.literal_block("", "x = -1")
    set_numbers(None, page, "page")
    assert page.astext() == "at −1 -1-1\n\nx = -1"


def test_lines_do_not_break_within_a_number_but_cells_may():
    written = ["in ", "0.9", " (", "-1.0", " to", "\n", "5.1", ") ± 2\nnats, 5 % (4 % to 6 %), 3 s"]
    page = nodes.document(None, None)
    page += nodes.paragraph("", "", *map(nodes.Text, written))
    page[0] += [nodes.math("", "3"), nodes.Text(" nats")]
    page += nodes.entry("", nodes.paragraph("", "".join(written)))
    set_numbers(None, page, "page")
    assert page[0].astext() == (
        "in 0.9\xa0(−1.0\xa0to\xa05.1)\xa0±\xa02\xa0nats, "
        "5\xa0%\xa0(4\xa0%\xa0to\xa06\xa0%), 3\xa0s3\xa0nats"
    )
    in_a_table = "in 0.9 (−1.0\xa0to\xa05.1) ± 2\nnats, 5\xa0% (4\xa0%\xa0to\xa06\xa0%), 3 s"
    assert page[1].astext() == in_a_table


def test_digits_stand_below_each_other_in_columns_of_numbers_and_of_middles():
    rows = [
        ("loss", "total", "share", "mean", "change"),
        ("BCE", "1,147.09", "5\xa0%", "2.50 (2.4\xa0to\xa02.6)", "none"),
        ("MSE", "−34.5", "12.5\xa0%", "−13", "2.50 (2.4\xa0to\xa02.6)"),
    ]
    head, *body = (
        nodes.row("", *(nodes.entry("", nodes.paragraph("", cell)) for cell in row)) for row in rows
    )
    table = nodes.tgroup("", nodes.thead("", head), nodes.tbody("", *body))
    page = nodes.document(None, None)
    page += nodes.table("", table)
    align_numbers(None, page, "page")
    marked = [["number" in cell["classes"] for cell in row] for row in (head, *body)]
    assert marked == [[False, True, True, False, False]] * 3
    middles = [row[3].astext() for row in (head, *body)]
    assert middles == ["mean", "\u2007\u20072.50 (2.4\xa0to\xa02.6)", "−13"]
    assert [row[4].astext() for row in body] == ["none", "2.50 (2.4\xa0to\xa02.6)"]
