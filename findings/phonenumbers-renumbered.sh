#!/bin/sh
# phonenumbers 9.0.43 (PyPI): neither its canonical form nor its comparison tells that two numbers are one phone.
#
# Some countries have changed the numbers of phones that go on existing: Mexico dropped a 1 after +52 (2019), Ivory Coast (2021)
# and Benin (2024) put two digits in front. Both forms still arrive, as networks and phones keep the old one. The E.164
# form of the old and the new number stay different, so a table keyed by it holds the phone twice. `is_number_match` answers
# SHORT_NSN_MATCH for such a pair; but it answers the same for two different lines of Argentina, a mobile (with 9) and a
# fixed one, so it cannot be used to join numbers either.
#
# Seen output:
#   Mexico: E.164 differs, SHORT_NSN_MATCH
#   Ivory Coast: E.164 differs, SHORT_NSN_MATCH
#   Benin: E.164 differs, SHORT_NSN_MATCH
#   Argentina, two lines: E.164 differs, SHORT_NSN_MATCH
#
# Needs python3 with venv. Exits with 1 when the behaviour has changed, with 2 when it could not be tried.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv" || exit 2
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'phonenumbers==9.0.43' || exit 2
"$folder/venv/bin/python" - >"$folder/seen" <<'PYTHON'
import phonenumbers

PAIRS = (
    ("Mexico", "+5215512345678", "+525512345678"),
    ("Ivory Coast", "+22507123456", "+2250707123456"),
    ("Benin", "+22997123456", "+2290197123456"),
    ("Argentina, two lines", "+5491123456789", "+541123456789"),
)
MATCHES = {2: "SHORT_NSN_MATCH", 3: "NSN_MATCH", 4: "EXACT_MATCH"}


def e164(number):
    return phonenumbers.format_number(phonenumbers.parse(number), phonenumbers.PhoneNumberFormat.E164)


for name, old, new in PAIRS:
    same = "is one" if e164(old) == e164(new) else "differs"
    match = phonenumbers.is_number_match(old, new)
    print(f"{name}: E.164 {same}, {MATCHES.get(match, match)}")
PYTHON
cat "$folder/seen"
cat >"$folder/expected" <<'SEEN'
Mexico: E.164 differs, SHORT_NSN_MATCH
Ivory Coast: E.164 differs, SHORT_NSN_MATCH
Benin: E.164 differs, SHORT_NSN_MATCH
Argentina, two lines: E.164 differs, SHORT_NSN_MATCH
SEEN
cmp -s "$folder/seen" "$folder/expected" || { echo 'The behaviour has changed.' >&2; exit 1; }
