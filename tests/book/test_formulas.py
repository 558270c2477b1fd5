"""Formulas as browsers get them."""

import re
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest

from vaelib.book.site.formulas import bring_font, letters_of, mathml

THIN = '<mspace width="0.1667em"/>'


def test_macros_are_expanded_and_no_latex_is_left():
    found = mathml(r"\KL(q) \ge 0", True, (("KL", r"D_{\mathrm{KL}}"),))
    assert re.fullmatch("<math.*</math>", found)
    assert 'display="block"' in found
    assert re.findall("<m[ion][^>]*>(.*?)</m[ion]>", found) == [*"DKL(q)≥0"]
    assert "\\" not in found
    assert "display" not in mathml("x", False)


@pytest.mark.parametrize(
    ("tex", "letters"), [(r"\mathbb{E}", "𝔼"), (r"\mathcal{LN}", "ℒ𝒩"), (r"\mathbb{R}", "ℝ")]
)
def test_alphabets_are_letters_of_their_own(tex, letters):
    assert re.sub("<[^>]*>", "", mathml(tex, False)) == letters


@pytest.mark.parametrize(
    ("tex", "spaces"),
    [(r"\log x", 1), (r"\log(x)", 0), (r"x\log x", 2), (r"(1-x)\log(x)", 1), (r"x - \log(x)", 0)],
)
def test_a_function_stands_apart_from_what_it_is_applied_to(tex, spaces):
    assert mathml(tex, False).count(THIN) == spaces


@pytest.mark.parametrize(
    ("tex", "sign"), [("a = -b", True), ("f(-b)", True), ("a - b", False), (r"\frac{-a}{b}", False)]
)
def test_a_sign_is_no_difference(tex, sign):
    assert ('<mo form="prefix">−' in mathml(tex, False)) == sign


@pytest.mark.parametrize(
    ("tex", "fault"),
    [
        (r"\foo", r"Undefined control sequence: \foo"),
        (r"\frac{1", "Unexpected end of input"),
        ("½", "Unrecognized Unicode character"),
    ],
)
def test_what_cannot_be_read_is_refused(tex, fault):
    with pytest.raises(ValueError, match=r"the formula .* cannot be read: ") as error:
        mathml(tex, False)
    assert fault in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("tex", "pieces"),
    [
        ("a = b + c", ["a", "=b", "+c"]),
        ("f(a + b) = -c", ["f(a+b)", "=−c"]),
        (r"a \le \frac{b + c}{2} \qquad (b = c)", ["a", "≤b+c2", "(b=c)"]),
        (r"\bigl[a - b\bigr]", ["[a−b]"]),
    ],
)
def test_a_formula_may_break_before_a_relation_or_a_sum(tex, pieces):
    row = ElementTree.fromstring(mathml(tex, True)).find("./mrow")
    assert ["".join(piece.itertext()) for piece in row] == pieces
    whole = mathml(tex, False)
    assert "".join(row.itertext()) == "".join(ElementTree.fromstring(whole).itertext())


def test_the_font_has_the_italics_of_names():
    assert set(letters_of("<mi>x</mi><mi>h</mi><mi>μ</mi><mn>2</mn>")) == set("xhμ2𝑥ℎ𝜇")
    for root in (r"\sqrt 2", r"\sqrt[3]{2}"):
        assert "√" in letters_of(mathml(root, block=False))


def test_the_same_formulas_have_the_same_font_at_any_time(tmp_path, monkeypatch):
    fonts = []
    for moment in ("1000000000", "2000000000"):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", moment)
        (tmp_path / moment / "_static").mkdir(parents=True)
        (tmp_path / moment / "page.html").write_text(mathml("x + 1", False))
        builder = SimpleNamespace(format="html")
        app = SimpleNamespace(builder=builder, phase=None, outdir=str(tmp_path / moment))
        bring_font(app, None)
        fonts.append((tmp_path / moment / "_static" / "formulas.woff").read_bytes())
    assert fonts[0] == fonts[1]
