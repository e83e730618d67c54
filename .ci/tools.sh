#!/usr/bin/env bash
# Makes sure that programs of other projects' are here, which tests run: Debian's packages, installed
# where something is missing and we may.
#
#   .ci/tools.sh                         what tests/tools runs
#   .ci/tools.sh PROGRAM=PACKAGE …       these, e.g. buildah=buildah
#
# Ends with 1 and names what is missing when it cannot be had. DIALWARDEN_NO_TOOLS=1 leaves them out,
# and says so; `make test` then leaves out the tests that take them.
set -euo pipefail

wanted=("$@")
if [[ $# -eq 0 ]]; then
    wanted=(promtool=prometheus systemd-analyze=systemd systemd-sysusers=systemd logrotate=logrotate)
fi

# Some are in /usr/sbin, which is not in everybody's PATH.
PATH=$PATH:/usr/sbin:/sbin

missing() {
    local one
    for one in "${wanted[@]}"; do
        command -v "${one%%=*}" >/dev/null || echo "$one"
    done
}

if [[ -n ${DIALWARDEN_NO_TOOLS:-} ]]; then
    echo "== DIALWARDEN_NO_TOOLS is set: left out are the tests that take ${wanted[*]%%=*}" >&2
    exit 0
fi
mapfile -t lacking < <(missing)
if [[ ${#lacking[@]} -eq 0 ]]; then
    exit 0
fi
mapfile -t packages < <(printf '%s\n' "${lacking[@]#*=}" | sort -u)
if [[ $EUID -ne 0 ]] || ! command -v apt-get >/dev/null; then
    echo "error: missing: ${lacking[*]%%=*}; install ${packages[*]} (Debian's names)," \
        "or leave the tests that take them out: DIALWARDEN_NO_TOOLS=1" >&2
    exit 1
fi

# A package may bring a service (prometheus does): it is not wanted here, and not started.
policy=/usr/sbin/policy-rc.d
if [[ ! -e $policy ]]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi
echo "== installing ${packages[*]} with apt-get" >&2
export DEBIAN_FRONTEND=noninteractive
wait_for_lock=(-o DPkg::Lock::Timeout=300)
{
    apt-get -q "${wait_for_lock[@]}" update &&
        apt-get -q "${wait_for_lock[@]}" install -y --no-install-recommends "${packages[@]}"
} >&2
mapfile -t lacking < <(missing)
if [[ ${#lacking[@]} -ne 0 ]]; then
    echo "error: still missing: ${lacking[*]%%=*}" >&2
    exit 1
fi
