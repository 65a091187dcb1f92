#!/usr/bin/env bash
# Builds the fuzzer, and runs it for so many seconds from the seeds: run.sh CMAKE BUILD FUZZER SECONDS
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
"$1" --build "$2" --target fuzz >/dev/null
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp corpus/* "$work/"
cd "$work"
"$3" "$work" -dict="$OLDPWD/stablehlo.dict" -max_total_time="$4" -timeout=20 -rss_limit_mb=4096 -max_len=20000 -print_final_stats=1
