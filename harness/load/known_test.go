package load

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"turnlab/harness/control"
	"turnlab/harness/flags"
	"turnlab/harness/record"
)

// A delay is a distribution by its inverse: the delay that a share q of all requests does not exceed.
type delay func(q float64) time.Duration

var delays = map[string]delay{
	"constant": func(float64) time.Duration { return 60 * time.Millisecond },
	"bimodal": func(q float64) time.Duration { // one request in thirty is a slow one: p90 must not see it, and p99 must
		if q < 29.0/30 {
			return 40 * time.Millisecond
		}
		return 120 * time.Millisecond
	},
	"exponential": func(q float64) time.Duration { return time.Duration(-math.Log1p(-q) * float64(80*time.Millisecond)) },
}

// The server delays n requests by the n quantiles of a distribution, in random order, so that not even chance comes between
// the distribution and what must be measured: each percentile is one of the delays, known before. No percentile may be
// below its delay. Above it 1 % is allowed, and what the machine itself adds just then, which the server sees in its sleeps:
// they end late by as much as the generator's do.
func TestPercentilesOfKnownDelaysAreThoseDelays(t *testing.T) {
	const n = 600
	for name, d := range delays {
		imposed := make([]time.Duration, n)
		for i := range imposed {
			imposed[i] = d((float64(i) + 0.5) / n)
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel() // with the others of this test, which wait most of the time, and with no other test
			patiently(t, func(int64) error { return measures(t, name, imposed) })
		})
	}
}

// measures makes a load of as many requests as there are delays, and compares percentiles.
func measures(t *testing.T, name string, imposed []time.Duration) error {
	order := rand.New(rand.NewPCG(1, 2)).Perm(len(imposed))
	lates := make([]time.Duration, len(imposed))
	var next atomic.Int64
	s := serve(t, "tcp", func(s *server, c net.Conn) {
		p := make([]byte, payload)
		for s.request(c, p) {
			i := order[int(next.Add(1)-1)%len(order)]
			until := time.Now().Add(imposed[i])
			time.Sleep(imposed[i])
			lates[i] = time.Since(until)
			if _, err := c.Write(p); err != nil {
				return
			}
		}
	})
	l := s.load()
	l.Conns, l.Threads, l.RateRPS, l.Arrivals, l.SpinNS = 300, 2, 1000, Fixed, 50e3
	l.WindowNS = int64(len(imposed)) * 1e6
	r := apart(t, l)
	s.stop()
	s.waitOpen(t, 0) // nobody writes to lates any more
	if int(r.Due) != len(imposed) || r.Requests != r.Due || r.Waited > 0 {
		return fmt.Errorf("%s: %d due, %d right, %d waited for a connection; want %d, all right, at once", name, r.Due, r.Requests, r.Waited, len(imposed))
	}
	late := 2 * slices.Max(lates)
	for _, kind := range []string{"response", "service"} {
		got := r.Latency[kind]
		for q, value := range map[float64]int64{0.5: got.P50, 0.9: got.P90, 0.99: got.P99, 1: got.Max} {
			want := imposed[int(math.Ceil(q*float64(len(imposed))))-1]
			if got := time.Duration(value); got < want-want/1000 { // a bucket of the histogram
				t.Errorf("%s: %s p%v is %v, but that many took %v or longer", name, kind, 100*q, got, want)
			} else if got > want+want/100+late {
				return fmt.Errorf("%s: %s p%v is %v, want %v and 1 %% at most, and the %v that this machine adds", name, kind, 100*q, got, want, late)
			}
		}
	}
	return nil
}

// The same, without a machine in between: times are put into a thread's books as if its clock had shown them.
func TestPercentilesOfKnownLatenciesAreExactToABucket(t *testing.T) {
	t.Parallel()
	const n = 20_000
	for name, d := range delays {
		l := (&server{network: "tcp", address: "127.0.0.1:1"}).load()
		l.RateRPS, l.Threads, l.Conns, l.WindowNS = 1000, 2, 2, 20e9
		g := generatorFor(t, l)
		g.plan(nil)
		imposed, order := make([]int64, n), rand.New(rand.NewPCG(1, 2)).Perm(n)
		for i := range imposed {
			imposed[i] = d((float64(i) + 0.5) / n).Nanoseconds()
		}
		for i := range imposed {
			w := g.workers[i%2]
			if i < 2 {
				w.t0, w.t1 = g.phases.t0.Load(), g.phases.t1.Load()
				w.progress.begin(g.start, g.phases.longest)
			}
			intended := w.t0 + int64(i)*l.WindowNS/n
			w.fly(0, &w.conns[0], flight{intended: intended, sent: intended + 1000})
			w.now = intended + imposed[order[i]]
			w.answered(0, &w.conns[0])
			w.idle.pop()
		}
		for _, w := range g.workers {
			w.now = w.t1
		}
		r, err := g.result(control.Usage{})
		if err != nil {
			t.Fatal(err)
		}
		for q, got := range map[float64]int64{0.5: r.Latency["response"].P50, 0.9: r.Latency["response"].P90, 0.99: r.Latency["response"].P99, 0.999: r.Latency["response"].P999} {
			if want := imposed[int(math.Ceil(q*n))-1]; math.Abs(float64(got-want)) > float64(want)/1000 {
				t.Errorf("%s: p%v is %v, want %v to a bucket", name, 100*q, time.Duration(got), time.Duration(want))
			}
			if service := r.Latency["service"].P99 - r.Latency["response"].P99; service > 0 {
				t.Errorf("%s: service is longer than response by %d ns", name, service)
			}
		}
		g.close()
	}
}

// In a closed loop throughput times mean residence is the number of connections, whatever either is (Little's law).
func TestThroughputTimesMeanServiceIsTheNumberOfConnections(t *testing.T) {
	for _, c := range []struct{ conns, depth, threads int }{{1, 1, 1}, {20, 1, 1}, {20, 1, 2}, {6, 3, 1}} {
		t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
			t.Parallel()
			s := serve(t, "tcp", delayed(4*time.Millisecond))
			l := s.load()
			l.Conns, l.Depth, l.Threads = c.conns, c.depth, c.threads
			patiently(t, func(longer int64) error {
				l.WarmupNS, l.WindowNS = int64(100*time.Millisecond), longer*int64(500*time.Millisecond)
				r := apart(t, l)
				var received, slices float64
				for _, w := range r.Windows {
					if w.Measured {
						received, slices = received+float64(w.Received), slices+1
					}
				}
				inFlight := received / (slices / 10) * r.Latency["service"].Mean / 1e9
				if want := float64(c.conns * c.depth); math.Abs(inFlight/want-1) > 0.03 {
					return fmt.Errorf("%+v: throughput times mean service is %.3f, want %v within 3 %%", c, inFlight, want)
				}
				return nil
			})
		})
	}
}

// judged returns the codes of the flags that a result raises, with their levels.
func judged(l control.Load, r control.LoadResult) (codes []string) {
	t := &record.Trial{
		Point:  record.Point{Mode: record.Closed, Params: map[string]any{"conns": float64(l.Conns), "depth": float64(l.Depth), "timeout": "1s"}},
		Errors: r.Errors, FirstError: r.FirstError, Requests: r.Requests, Unanswered: r.Unanswered, WindowSeconds: float64(r.WindowNS) / 1e9,
	}
	flags.Judge(t)
	for _, f := range t.Flags {
		codes = append(codes, f.Code+" "+f.Level)
	}
	return codes
}

func TestOneWrongByteInTenThousandRepliesIsFound(t *testing.T) {
	const replies = 10_000
	for _, lie := range []int64{0, replies / 2} {
		var count atomic.Int64
		enough := make(chan struct{})
		s := serve(t, "unix", func(s *server, c net.Conn) {
			p := make([]byte, payload)
			for s.request(c, p) {
				n := count.Add(1)
				if n == lie {
					p[payload-1] ^= 1
				}
				if n == replies {
					close(enough)
				}
				if _, err := c.Write(p); err != nil {
					return
				}
			}
		})
		l := s.load()
		l.Conns, l.Depth = 16, 8
		patiently(t, func(longer int64) error {
			l.WindowNS = longer * int64(500*time.Millisecond)
			r := mustRun(t, l, Hooks{})
			select {
			case <-enough:
			default:
				return fmt.Errorf("%d replies in %v, want %d", count.Load(), time.Duration(l.WindowNS), replies)
			}
			if invalid := slices.Contains(judged(l, r), "bad_answers "+record.Invalid); invalid != (lie > 0) || r.Errors["wrong"] != uint64(min(lie, 1)) {
				t.Errorf("lie in reply %d of %d: errors %v, flags %v", lie, count.Load(), r.Errors, judged(l, r))
			}
			return nil
		})
	}
}
