"""How a text is found in the titles of a library that is known by bits: by its parts, and by forms of titles.

A title that has all parts of a text may have them in other places. All titles of a form have what is no digit in the
same places, so forms say where that can be: such titles are left out, or looked at one by one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fireside.domain.ids import UserId
from fireside.store.asset_bits import GRAM, form_key, form_of, grams, has_digits, text_key
from fireside.store.database import Rows, Transaction
from fireside.store.rows import from_json

_MOST_FORMS = 4096
# So many forms are left out or looked at by their bits.
_MOST_DOUBTS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """Which bits tell of a text: `parts` are there, `wrong` forms have the parts and not the text, `unsure` ones may.

    Without `unsure` each title that has the parts is looked at.
    """

    parts: Sequence[str] = ()
    wrong: Sequence[str] = ()
    unsure: Sequence[str] | None = ()

    @property
    def by_forms(self) -> bool:
        """Whether forms have to be known."""
        return bool(self.wrong or self.unsure)


def ask_for_forms(tx: Transaction, user_id: UserId, needle: str) -> Rows:
    """Ask which forms of titles may have a text, where they have to say."""
    if len(needle) <= GRAM:
        return ()
    params = {"user_id": user_id, "needle": form_of(needle[:GRAM]), "limit": _MOST_FORMS}
    return tx.run("asset_forms_with", params)


def telling_of(needle: str, forms: Rows) -> Telling:
    """Say what tells that a text is in a title, given the forms that may have it."""
    if len(needle) <= GRAM:
        return Telling(parts=[text_key(needle)] if needle else ())
    cut = list(dict.fromkeys(grams(needle)))
    parts = list(map(text_key, cut))
    (row,) = forms
    if row["forms"] >= _MOST_FORMS:
        return Telling(parts=parts, unsure=None)
    alike = {form_of(part) for part in cut}
    numbered = [form_of(part) for part in cut if has_digits(part)]
    having = [one for one in from_json(row["found"].encode()) if all(part in one for part in alike)]
    form = form_of(needle)
    wrong = [one for one in having if form not in one]
    unsure = [one for one in having if form in one and any(_is_twice(part, one) for part in numbered)]
    if len(wrong) + len(unsure) > _MOST_DOUBTS:
        return Telling(parts=parts, unsure=None)
    return Telling(parts=parts, wrong=list(map(form_key, wrong)), unsure=list(map(form_key, unsure)))


def _is_twice(part: str, form: str) -> bool:
    return form.find(part, form.find(part) + 1) >= 0
