#!/usr/bin/env bash
# Does the lab claim differences that do not exist, and does it find one that does?
#
#	make build && examples/method/aa.sh [COMPARISONS] [BLOCKS] [DURATION]
#
# A/A: an engine is compared with itself, COMPARISONS times (20), in BLOCKS blocks (10) of trials of DURATION (400ms) each.
# A comparison that claims anything, in throughput, CPU per request, p50, p99 or memory, is counted: at most one in twenty
# may.
# Power: a server that was given 5 % more work for each request is compared with itself without, once, in BLOCKS blocks of
# trials of a second. The claim that it takes more CPU must be there. How much its trials differ from each other is printed
# beside it: what is less than that takes more blocks, or a quieter machine. What the work came to is printed as well, because
# the caches have a say in it.
#
# It ends with 1 when there were too many claims, or the work was not found. With the defaults it takes about eight minutes on
# a machine that does nothing else. LAB=path takes another binary than bin/lab.
set -euo pipefail
cd "$(dirname "$0")/../.."
comparisons=${1:-20} blocks=${2:-10} duration=${3:-400ms} conns=16
lab=${LAB:-$PWD/bin/lab}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
go build -o "$dir/slowed" ./examples/method/slowed

# versus SEED A B: compares two commands of servers; leaves the table in $dir/table.
versus() {
  rm -rf "$dir/run"
  "$lab" sweep -q --workload echo --conns "$conns" --blocks "$blocks" --precision 0 --retries 3 \
    --warmup 100ms --duration "$duration" --seed "$1" \
    --engine exec/a,exec/b --exec "a=$2" --exec "b=$3" --out "$dir/run" >/dev/null &&
    "$lab" compare "$dir/run" --engine exec/a,exec/b >"$dir/table"
}

# trials prints the median of what a request took of server a's CPU, in nanoseconds, and what a trial typically differs from
# it by, in per cent: the median distance.
trials() {
  awk -F, '
    function median(x, n,   i, j, t) {
      for (i = 2; i <= n; i++) for (j = i; j > 1 && x[j-1] > x[j]; j--) { t = x[j]; x[j] = x[j-1]; x[j-1] = t }
      return n % 2 ? x[(n+1)/2] : (x[n/2] + x[n/2+1]) / 2
    }
    NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
    $column["metric"] == "server_cpu_ns_per_req" && $column["variant"] == "a" && $column["valid"] == "true" { ns[++n] = $column["value"] }
    END {
      if (!n) { print "aa.sh: no trial counts" > "/dev/stderr"; exit 1 }
      middle = median(ns, n)
      for (i = 1; i <= n; i++) { far[i] = ns[i] / middle - 1; if (far[i] < 0) far[i] = -far[i] }
      printf "%.0f %.1f\n", middle, 100 * median(far, n)
    }' "$dir/run/summary.csv"
}

failed=0
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
if ((made == 0 || claims * 20 > made)); then
  echo "A/A: more than one in twenty, or none could be made"
  failed=1
fi

# A request costs little more where many connections wait at once, and a second averages over what disturbs a short trial.
# A pilot tells what it costs, and 5 % of that is the work to add.
conns=128 duration=1s
all=$blocks blocks=1
versus 0 "$dir/slowed {addr} 0" "$dir/slowed {addr} 0"
read -r ns _ < <(trials)
extra=$((ns / 20))
blocks=$all
versus 0 "$dir/slowed {addr} 0" "$dir/slowed {addr} $extra"
read -r ns spread < <(trials)
echo "Power: $extra ns of work added to each request of $ns ns, in $blocks blocks; a trial differs by $spread % from the median:"
grep -E '^(cpu|  )' "$dir/table"
if grep -E '^cpu .*worse$' "$dir/table" >/dev/null; then
  echo "found"
else
  echo "not found: a trial differs by $spread %, so $blocks blocks do not show 5 % here"
  failed=1
fi
exit $failed
