#!/bin/sh
# twilio 9.13.0 (PyPI): RequestValidator refuses a genuine signature when the URL has an IPv6 host or userinfo, and a port.
#
# Twilio may sign the webhook's URL with or without its port, so `validate` tries both spellings. It makes the one
# without a port by cutting the authority at its first colon. That is right for `sms.example.org:8443`. An IPv6
# address and a `user:password@` have an earlier colon, so the spelling becomes `https://[2001/inbound` or
# `https://user/inbound`, and the signature that was made without the port never matches.
#
# Seen output:
#   sms.example.org: genuine signature accepted
#   [2001:db8::7]: genuine signature refused
#   user:word@sms.example.org: genuine signature refused
#
# Needs python3 with venv. Exits with 1 when the behaviour has changed, with 2 when it could not be tried.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv" || exit 2
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'twilio==9.13.0' || exit 2
"$folder/venv/bin/python" - >"$folder/seen" <<'PYTHON'
from twilio.request_validator import RequestValidator

validator = RequestValidator("0123456789abcdef0123456789abcdef")
form = {"Body": "I am ready to learn"}
for host in ("sms.example.org", "[2001:db8::7]", "user:word@sms.example.org"):
    signature = validator.compute_signature(f"https://{host}/inbound", form)
    accepted = validator.validate(f"https://{host}:8443/inbound", form, signature)
    print(f"{host}: genuine signature {'accepted' if accepted else 'refused'}")
PYTHON
cat "$folder/seen"
cat >"$folder/expected" <<'SEEN'
sms.example.org: genuine signature accepted
[2001:db8::7]: genuine signature refused
user:word@sms.example.org: genuine signature refused
SEEN
cmp -s "$folder/seen" "$folder/expected" || { echo 'The behaviour has changed.' >&2; exit 1; }
