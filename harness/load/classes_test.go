package load

import (
	"net"
	"testing"
	"time"

	"turnlab/workloads"
)

// A server that delays hogs and nobody else: the delay must be in the class of hogs, and in no other.
func TestLatenciesOfClassesAreKeptApart(t *testing.T) {
	t.Parallel()
	const delay = 20 * time.Millisecond
	s := serve(t, "tcp", func(s *server, c net.Conn) {
		p := make([]byte, 8)
		for s.request(c, p) {
			if p[0] == 'H' {
				time.Sleep(delay)
			}
			if _, err := c.Write(p); err != nil {
				return
			}
		}
	})
	for _, rate := range []float64{0, 800} {
		l := s.load()
		l.Workload, l.Settings = "hog", map[string]string{"share": "0.05"}
		l.RateRPS, l.Conns, l.Threads, l.WindowNS = rate, 16, 2, int64(400*time.Millisecond)
		r := apart(t, l)
		var sum uint64
		for name, c := range r.Classes {
			sum += c.Requests
			if n := c.LatencyNS["service"].Count; uint64(n) != c.Requests {
				t.Errorf("rate %v: %s has %d requests and %d service times", rate, name, c.Requests, n)
			}
			if _, ok := c.LatencyNS["response"]; ok != (rate > 0 && c.Requests > 0) {
				t.Errorf("rate %v: %s has a response time: %v", rate, name, ok)
			}
		}
		if sum != r.Requests || len(r.Classes) != len(workloads.Hog.Classes) {
			t.Errorf("rate %v: %d right replies, and %d in %d classes", rate, r.Requests, sum, len(r.Classes))
		}
		hog, innocent := r.Classes["hog"].LatencyNS["service"], r.Classes["innocent"].LatencyNS["service"]
		if time.Duration(hog.P50) < delay || innocent.P50 >= hog.P50 || r.Classes["hog"].Histograms["service"] == "" {
			t.Errorf("rate %v: p50 of hogs %v, of innocents %v", rate, time.Duration(hog.P50), time.Duration(innocent.P50))
		}
	}
}

func TestAWorkloadWithoutClassesHasNone(t *testing.T) {
	s := serve(t, "tcp", echo)
	if r := mustRun(t, s.load(), Hooks{}); r.Classes != nil {
		t.Errorf("echo has classes: %+v", r.Classes)
	}
}

// A server that swallows all requests from the first on lets a closed loop send none in the window. The window must not
// look clean for it: each connection's stuck request counts, by its timeout or as unanswered.
func TestRequestsStuckSinceTheWarmUpCountAgainstTheWindow(t *testing.T) {
	t.Parallel()
	s := serve(t, "tcp", silent)
	for timeout, name := range map[time.Duration]string{
		150 * time.Millisecond: "longer than the warm-up", 2 * time.Second: "longer than the window",
	} {
		l := s.load()
		l.WarmupNS, l.TimeoutNS = int64(50*time.Millisecond), int64(timeout)
		r := apart(t, l)
		if r.Requests != 0 || r.Errors["timeout"]+r.Unanswered < 4 {
			t.Errorf("timeout %s: %d right, errors %v, %d unanswered; want at least the 4 that are stuck", name, r.Requests,
				r.Errors, r.Unanswered)
		}
		if p := time.Duration(r.Latency["service"].P50); p < timeout {
			t.Errorf("timeout %s: service p50 is %v, but none was answered in %v", name, p, timeout)
		}
	}
}
