"""Which column holds the numbers, and when that is for a person to say."""

from __future__ import annotations

import pytest

from dialwarden.errors import ImportRefused
from dialwarden.imports.number_column import choose_number_column, is_number_name

# "t" is a telephone number here, anything else is none.
T, X, _ = "t", "x", ""


@pytest.mark.parametrize(
    "name",
    ["number", "Phone", "TELEPHONE", "Téléphone", "Tél.", "tel_1", "N° de téléphone", "Portable",
     "Mobile phone", "phone number", "phoneNumber", "cellulare", "Numero", "Número", "Telefono 2",
     "msisdn", "Tel. fixe", "Rufnummer", "callee"],
)  # fmt: skip
def test_names_of_numbers(name: str) -> None:
    assert is_number_name(name)


@pytest.mark.parametrize(
    "name", ["", "id", "nom", "Hotel", "contact", "e-mail", "42", "Telex", "é"]
)
def test_names_of_something_else(name: str) -> None:
    assert not is_number_name(name)


CHOSEN = [
    # Names, first rows, the place, and how it was found.
    (["nom", "tel"], [[X, T]], 1, "its name; 1 of its first 1 cells are telephone numbers"),
    (["nom", "tel"], [], 1, "its name; its first cells are empty"),
    (["nom", "tel"], [[X, X], [X, X]], 1, "its name; 0 of its first 2 cells"),
    # Named so, and none in it: another that is named so, or any other that does hold some.
    (["numero", "tel"], [[X, T]], 1, "its name; 1 of its first 1"),
    (["numero", "contact"], [[X, T]], 1, "no other column holds any; 1 of its first 1"),
    (["fixe", "portable"], [[_, T], [_, T]], 1, "its name; 2 of its first 2"),
    (
        ["a", "b", "c"],
        [[X, T, X], [X, T], [X, X, T], [X, T, X]],
        1,
        "no other column holds any; 3 ",
    ),
    # Other numbers may stand in a file, under another name.
    (["siret", "tel"], [[T, T]], 1, "its name; 1 of its first 1"),
    (["whatever"], [[X]], 0, "there is no other"),
]


@pytest.mark.parametrize(("names", "rows", "place", "why"), CHOSEN)
def test_the_column_and_why(names: list[str], rows: list[list[str]], place: int, why: str) -> None:
    found = choose_number_column("f.csv", names, rows, T.__eq__)
    assert (found.place, found.name) == (place, names[place])
    assert found.why.startswith(why)


TWO = [
    (["tel", "portable", "nom"], [[T, T, X]], "columns 'tel' and 'portable' may each hold"),
    (["tel", "portable"], [], "columns 'tel' and 'portable' may each hold"),
    (["tel", "portable"], [[T, _], [T, T]], "columns 'tel' and 'portable' may each hold"),
    (["a", "b", "c"], [[T, X, T]], "columns 'a' and 'c' may each hold"),
    (["tel"] * 6, [], "'tel' and 'tel' and 'tel' and 'tel' and 2 more may each hold"),
]


@pytest.mark.parametrize(("names", "rows", "told"), TWO)
def test_two_that_may_both_be_meant_are_for_a_person_to_choose_between(
    names: list[str], rows: list[list[str]], told: str
) -> None:
    with pytest.raises(ImportRefused) as caught:
        choose_number_column("f.csv", names, rows, T.__eq__, line=1)
    assert str(caught.value).startswith("f.csv:1: ")
    assert told in str(caught.value)
    assert str(caught.value).endswith("; name one with --column")


@pytest.mark.parametrize("rows", [[], [[X, X]], [[X, T], [X, X]]])
def test_without_any_the_columns_are_listed(rows: list[list[str]]) -> None:
    with pytest.raises(
        ImportRefused, match=r"no column is known to hold .* its columns are a, b; n"
    ):
        choose_number_column("f.csv", ["a", "b"], rows, T.__eq__)
