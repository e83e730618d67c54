#!/bin/sh
# Starts the toy Asterisk. Everything it writes goes to /run/asterisk, so that the rest of the image may be read-only.
# The AMI secrets are files, and reach Asterisk as one more: no secret is in the image, in a variable or in `ps`.
set -eu
umask 077

secrets=${SECRETS:-/run/dialwarden}
mkdir -p lib db cache log run spool/outgoing spool/tmp
for user in dialwarden dialer; do
    [ -r "$secrets/$user.secret" ] || {
        echo "toy-asterisk: $secrets/$user.secret cannot be read: it holds the AMI secret of [$user]" >&2
        exit 2
    }
    printf '[%s](+)\nsecret = %s\n' "$user" "$(cat "$secrets/$user.secret")"
done >secrets.conf
printf '[carrier]\ntype = aor\ncontact = sip:%s\n' "$TRUNK" >trunk.conf

exec asterisk -f "$@"
