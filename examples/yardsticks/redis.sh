#!/usr/bin/env bash
# Compares the workload kv on one coop executor with redis-server: CPU time of the server per request, in turn, with
# redis-benchmark as the client.
#
#	make build && examples/yardsticks/redis.sh [PAIRS] [ENGINE]
#
# Both servers run on CPU 0 and the client on CPU 1. Needs redis-server, redis-benchmark and two CPUs.
set -euo pipefail
cd "$(dirname "$0")/../.."
pairs=${1:-7} engine=${2:-coop} requests=200000 ours=19480 theirs=19481

bin/lab serve --engine "$engine" --workload kv --listen 127.0.0.1:$ours --cpus 0 >/dev/null &
lab=$!
taskset -c 0 redis-server --port $theirs --save '' --appendonly no >/dev/null &
redis=$!
trap 'kill $lab $redis; wait' EXIT
for port in $ours $theirs; do
  for ((i = 0; i < 100; i++)); do
    redis-cli -p $port ping >/dev/null 2>&1 && break
    sleep 0.1
  done
done

# ticks PID: the process's CPU time in clock ticks, ended threads included.
ticks() { awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$1/stat"; }

# per_request PID PORT TEST PIPELINE: microseconds of the server's CPU time per request.
per_request() {
  local before after
  before=$(ticks "$1")
  taskset -c 1 redis-benchmark -p "$2" -c 64 -n $requests -t "$3" -P "$4" -q >/dev/null
  after=$(ticks "$1")
  awk -v t=$((after - before)) -v hz="$(getconf CLK_TCK)" -v n=$requests 'BEGIN { printf "%.3f\n", t / hz * 1e6 / n }'
}

echo "command  pipeline   lab us  redis us  median of the pairs' ratios"
for test in get set; do
  for pipeline in 1 16; do
    for ((i = 0; i < pairs; i++)); do
      echo "$(per_request $lab $ours $test $pipeline) $(per_request $redis $theirs $test $pipeline)"
    done | awk -v test=$test -v pipeline=$pipeline '
      function median(a, n,   i, j, t) {
        for (i = 2; i <= n; i++) for (j = i; j > 1 && a[j-1] > a[j]; j--) { t = a[j]; a[j] = a[j-1]; a[j-1] = t }
        return n % 2 ? a[(n+1)/2] : (a[n/2] + a[n/2+1]) / 2
      }
      { lab[NR] = $1; redis[NR] = $2; ratio[NR] = $1 / $2 }
      END { printf "%-7s  %8d  %7.2f  %8.2f  %.2f\n", test, pipeline, median(lab, NR), median(redis, NR), median(ratio, NR) }'
  done
done
