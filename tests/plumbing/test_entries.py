import pytest

from vaelib.plumbing.entries import read_entries
from vaelib.study.claims import read_claims
from vaelib.study.questions import read_questions


@pytest.fixture
def read(tmp_path):
    def read(text):
        (tmp_path / "some.yml").write_text(text)
        return read_entries(tmp_path / "some.yml", ("title", "text"), ("more",))

    return read


def test_entries_are_read_in_order(read):
    text = "b: {title: one, text: two}\na: {text: three, title: four, more: [5]}\n"
    assert list(read(text)) == ["b", "a"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it holds nothing; expected entries"),
        ("- a\n- b\n", r"it holds \['a', 'b'\]; expected entries"),
        ("a: {title: one, text: two}\na: {title: three, text: four}\n", "line 2: 'a' stands twice"),
        ("a:\n  title: one\n  text: two\n  title: three\n", "line 4: 'title' stands twice"),
        ("a: {title: one}\n", "a has no text; expected title, text"),
        ("a: {title: one, text:}\n", "a has no text"),
        ("a: one\n", "a is 'one'; expected a mapping"),
        ("a:\n", "a is nothing; expected a mapping"),
        ("a: {title: one, txet: two}\n", "a key of a is 'txet'.*did you mean 'text'"),
        ("a: {title: [}\n", "while parsing"),
        ("a: !!python/object/apply:os.getcwd []\n", "could not determine a constructor"),
    ],
)
def test_what_is_wrong_is_refused_by_file_entry_and_key(read, text, message):
    with pytest.raises(ValueError, match=rf"some\.yml: .*{message}"):
        read(text)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("rule: prooved", "did you mean 'proved'"),
        ("rule: exact", "C1 has no numbers"),
        ("rule: numbers", "C1 has no loss"),
        ("rule: effects, words: d", "C1 has no effects"),
        ("rule: effects, words: d, effects: {e: {over: 1}}", "a key of e of C1 is 'over'"),
        ("rule: proved, quantities: []", "a key of C1 is 'quantities'"),
        ("rule: proved, evidence: again", "'evidence' stands twice"),
    ],
)
def test_a_claim_has_what_its_rule_needs(tmp_path, rule, message):
    (tmp_path / "claims.yml").write_text(f"C1: {{claim: a, checked: b, evidence: c, {rule}}}\n")
    with pytest.raises(ValueError, match=message):
        read_claims(tmp_path)


def test_a_question_has_quantities(tmp_path):
    (tmp_path / "questions.yml").write_text("Q1: {question: why}\n")
    with pytest.raises(ValueError, match=r"questions\.yml: Q1 has no quantities"):
        read_questions(tmp_path / "questions.yml")
