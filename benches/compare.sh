#!/bin/sh
# Orthros beside other GSS-API libraries, in one run and in turns:
#
#     benches/compare.sh [LABEL=LIBRARY...] [-- OPTIONS OF speed]
#
# Without libraries, those of MIT krb5 and Heimdal that the system has (Debian: libgssapi-krb5-2 and
# libgssapi3-heimdal). Needed beside cargo: a C compiler. Tickets and keys are made by Orthros' own KDC, in files
# that all of them read; nothing goes over a network.
set -eu
cd "$(dirname "$0")/.."

labelled=
while [ $# -gt 0 ] && [ "$1" != "--" ]; do
    labelled="$labelled --peer $1"
    shift
done
[ $# -eq 0 ] || shift

cargo build --quiet --release --package benches --bin speed
target=${CARGO_TARGET_DIR:-target}
cc -O2 -Wall -Wextra -o "$target/release/peers" benches/peers.c -ldl

if [ -z "$labelled" ]; then
    for peer in MIT=libgssapi_krb5.so.2 Heimdal=libgssapi.so.3; do
        if ldconfig -p | grep -q "${peer#*=}"; then
            labelled="$labelled --peer $peer"
        else
            echo "${peer%%=*} is not installed: left out" >&2
        fi
    done
fi
# shellcheck disable=SC2086 # labels and libraries have no spaces
exec "$target/release/speed" --peers "$target/release/peers" $labelled "$@"
