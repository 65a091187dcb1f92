#!/usr/bin/env bash
# Runs one part of StableHLO's programs: run.sh COMMAND FOLDER MODE PART PARTS. Status 77: they are not here.
set -euo pipefail
folder=${FLUXION_CONFORMANCE:-$2}
if [ ! -d "$folder/testdata" ]; then
  echo "skipped: there is no folder $folder/testdata; FLUXION_CONFORMANCE names another place"
  exit 77
fi
case "$3" in
  compiled) mode=() ;;
  eager) mode=(--eager) ;;
  interpreted) mode=(--interpret) ;;
esac
exec "$1" conform --expect-at-least 1633 --jobs 1 --part "$4" --parts "$5" "${mode[@]}" "$folder/testdata"
