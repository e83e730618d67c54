#!/usr/bin/env bash
# Installs what builds images without a daemon, and makes the roots they are built on: Debian's
# buildah and debootstrap. Where that cannot be, the tests that take it say that they were left out.
set -euo pipefail

[[ -z ${DIALWARDEN_NO_IMAGES:-} && $EUID -eq 0 ]] || exit 0
command -v apt-get >/dev/null || exit 0

missing=()
for package in buildah debootstrap; do
    command -v "$package" >/dev/null || missing+=("$package")
done
((${#missing[@]})) || exit 0

echo "== installing ${missing[*]} with apt-get" >&2
export DEBIAN_FRONTEND=noninteractive
{ apt-get -q update && apt-get -q install -y --no-install-recommends "${missing[@]}"; } >&2 ||
    echo "== ${missing[*]} could not be installed" >&2
