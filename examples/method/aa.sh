#!/usr/bin/env bash
# Does the lab claim differences that do not exist, and does it find one that does?
#
#	make build && examples/method/aa.sh [COMPARISONS] [BLOCKS] [DURATION]
#
# A/A: an engine is compared with itself, COMPARISONS times (20), in BLOCKS blocks (10) of trials of DURATION (400ms) each.
# A comparison that claims anything, in throughput, CPU per request, p50, p99 or memory, is counted: at most one in twenty
# may.
# Power: a server that was given 5 % more work for each request is compared with itself without, once, in BLOCKS blocks. The
# claim that it takes more CPU must be there. What the work came to is printed, because the caches have a say in it.
#
# With the defaults it takes about eight minutes on a machine that does nothing else.
set -euo pipefail
cd "$(dirname "$0")/../.."
comparisons=${1:-20} blocks=${2:-10} duration=${3:-400ms}
lab=${LAB:-$PWD/bin/lab}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
go build -o "$dir/slowed" ./examples/method/slowed

# versus SEED A B: compares two commands of servers; leaves the table in $dir/table.
versus() {
  rm -rf "$dir/run"
  "$lab" sweep -q --workload echo --conns 16 --blocks "$blocks" --precision 0 --retries 3 \
    --warmup 100ms --duration "$duration" --seed "$1" \
    --engine exec/a,exec/b --exec "a=$2" --exec "b=$3" --out "$dir/run" >/dev/null
  "$lab" compare "$dir/run" --engine exec/a,exec/b >"$dir/table"
}

itself="$lab serve --engine coop --workload echo --conns 16 --listen {addr}"
claims=0 made=0
for ((i = 1; i <= comparisons; i++)); do
  versus "$i" "$itself" "$itself" || continue # it has said why: the machine is not quiet
  made=$((made + 1))
  if grep -E '(worse|better)$' "$dir/table"; then
    claims=$((claims + 1))
  fi
done
echo "A/A: $claims of $made comparisons of an engine with itself claim a difference ($comparisons were tried)"

# A pilot tells what a request costs, and 5 % of that is the work to add.
pilot=$blocks
blocks=1
versus 0 "$dir/slowed {addr} 0" "$dir/slowed {addr} 0"
blocks=$pilot
extra=$(awk '$1 == "cpu" { sub(/us$/, "", $2); printf "%d", $2 * 1000 * 0.05 }' "$dir/table")
versus 0 "$dir/slowed {addr} 0" "$dir/slowed {addr} $extra"
echo "Power: $extra ns of work added to each request, in $blocks blocks:"
grep -E '^(cpu|  )' "$dir/table"
if grep -E '^cpu .*worse$' "$dir/table" >/dev/null; then
  echo "found"
else
  echo "not found"
  exit 1
fi
