#!/usr/bin/env bash
# Holds the lab's operations against the same in C (pingpong.c) and against go test -bench written apart: nanoseconds of CPU
# time per operation, in turn, on one CPU.
#
#	make build && make -C examples/yardsticks pingpong && examples/yardsticks/pingpong.sh [PAIRS] [CPU]
#
# CPU time and not the time that passed, so that a neighbour on the CPU disturbs little; still, leave it alone. It ends with 1
# when the medians of something that should agree are more than 25 % apart: threads that switch, and goroutines over a channel
# (see README.md for the others). LAB=path takes another binary than bin/lab.
set -euo pipefail
cd "$(dirname "$0")/../.."
pairs=${1:-7} cpu=${2:-0} lab=${LAB:-bin/lab} seconds=0.3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
go test -c -o "$work/apart" ./harness/micro

# operations NAME ENGINES OPTION...: name, value of via, and nanoseconds of each, from one block of trials.
operations() {
  local name=$1 engines=$2
  shift 2
  rm -rf "$work/run"
  "$lab" sweep --operation "$name" --engine "$engines" "$@" --server-cpus "$cpu" --duration ${seconds}s --blocks 1 --out "$work/run" -q >/dev/null
  awk -F, -v name="$name" '
    NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
    $column["metric"] == "cpu_ns_per_op" {
      engine = $column["engine"]; via = (engine ".via") in column ? $column[engine ".via"] : ""
      print "lab", name "-" engine (via == "" ? "" : "-" via), $column["value"]
    }' "$work/run/summary.csv"
}

# apart PROCS BENCHMARK LABEL: the benchmark, in a process of its own.
apart() {
  GOMAXPROCS=$1 taskset -c "$cpu" "$work/apart" -test.run '^$' -test.bench "^$2\$" -test.benchtime ${seconds}s |
    awk -v label="$3" '{ for (i = 2; i <= NF; i++) if ($i == "cpu-ns/op") print "other", label, $(i-1) }'
}

c() { examples/yardsticks/pingpong "$1" $seconds "$cpu" | awk -v label="$2" '{ print "other", label, $1 }'; }

once() {
  operations switch threads,loop --set threads.via=futex,pipe --set loop.via=futex,pipe
  operations switch preempt --set preempt.via=channel,gosched
  operations spawn preempt,threads
  c futex switch-threads-futex
  c pipe switch-threads-pipe
  c futex-alone switch-loop-futex
  c pipe-alone switch-loop-pipe
  c spawn spawn-threads
  apart 1 BenchmarkGoroutineChannel switch-preempt-channel
  apart 1 BenchmarkGoroutineGosched switch-preempt-gosched
  apart 1 BenchmarkGoroutineSpawn spawn-preempt
  apart 4 BenchmarkThreadPipe switch-threads-pipe-in-Go
}

for ((i = 0; i < pairs; i++)); do
  once | sed "s/^/$i /"
done | awk '
  function median(a, n,   i, j, t) {
    for (i = 2; i <= n; i++) for (j = i; j > 1 && a[j-1] > a[j]; j--) { t = a[j]; a[j] = a[j-1]; a[j-1] = t }
    return n % 2 ? a[(n+1)/2] : (a[n/2] + a[n/2+1]) / 2
  }
  function row(label, key,   i, n, l, o, r, ratio, off) {
    for (i in pair) if ((i, "lab", key) in ns && (i, "other", label) in ns) {
      n++; l[n] = ns[i, "lab", key]; o[n] = ns[i, "other", label]; r[n] = l[n] / o[n]
    }
    if (!n) { printf "%-28s no pair\n", label; bad = 1; return }
    ratio = median(r, n)
    off = label ~ /^switch-(threads|preempt-channel)/ && (ratio > 1.25 || ratio < 1 / 1.25)
    if (off) bad = 1
    printf "%-28s %5d  %9.0f  %9.0f  %6.2f%s\n", label, n, median(l, n), median(o, n), ratio, off ? "  disagree" : ""
  }
  { pair[$1]; ns[$1, $2, $3] = $4; if ($2 == "other" && !($3 in seen)) { seen[$3]; order[++rows] = $3 } }
  END {
    print "operation                    pairs     lab ns   other ns  median of the pairs'\'' ratios"
    for (i = 1; i <= rows; i++) { key = order[i]; sub(/-in-Go$/, "", key); row(order[i], key) }
    exit bad
  }'
