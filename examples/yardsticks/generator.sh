#!/usr/bin/env bash
# Compares the generator's CPU time per request with wrk's: the same server, the same connections, in turn, closed loop.
#
#	make build && make -C examples/yardsticks && examples/yardsticks/generator.sh [PAIRS]
#
# Both are timed as whole processes, start and connects included. The lab's generator checks every reply byte for byte and
# keeps a histogram; wrk parses replies and does not compare them. Needs wrk and two CPUs: the server has CPU 0.
set -euo pipefail
cd "$(dirname "$0")/../.."
pairs=${1:-7} seconds=2 port=19470
TIMEFORMAT='%U %S'

taskset -c 0 examples/yardsticks/epoll $port http &
server=$!
trap 'kill $server' EXIT
sleep 0.3

# per_request COMMAND... prints the command's CPU time in microseconds per request; the last number of the form
# "requests N" or "N requests" that it prints is the count.
per_request() {
  local out cpu
  out=$(mktemp)
  cpu=$( { time "$@" >"$out" 2>&1; } 2>&1 | awk '{ print $1 + $2 }')
  awk -v cpu="$cpu" '/ requests in / { n = $1 } match($0, /"requests":[0-9]+/) { n = substr($0, RSTART + 11, RLENGTH - 11) }
    END { if (!n) exit 1; printf "%.3f\n", cpu * 1e6 / n }' "$out"
  rm -f "$out"
}

echo "connections   lab us   wrk us   median of the pairs' ratios"
for conns in 64 1000; do
  for ((i = 0; i < pairs; i++)); do
    lab=$(per_request taskset -c 1 bin/lab load --workload http --target 127.0.0.1:$port --conns $conns --warmup 0s --duration ${seconds}s --json)
    wrk=$(per_request taskset -c 1 wrk -t1 -c$conns -d${seconds}s http://127.0.0.1:$port/)
    echo "$lab $wrk"
  done | awk -v conns=$conns '
    function median(a, n,   i, j, t) {
      for (i = 2; i <= n; i++) for (j = i; j > 1 && a[j-1] > a[j]; j--) { t = a[j]; a[j] = a[j-1]; a[j-1] = t }
      return n % 2 ? a[(n+1)/2] : (a[n/2] + a[n/2+1]) / 2
    }
    { lab[NR] = $1; wrk[NR] = $2; ratio[NR] = $1 / $2 }
    END { printf "%11d  %7.2f  %7.2f  %.2f\n", conns, median(lab, NR), median(wrk, NR), median(ratio, NR) }'
done
