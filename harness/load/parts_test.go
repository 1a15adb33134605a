package load

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"turnlab/harness/control"
	"turnlab/internal/misuse"
)

// together runs all parts of a load in processes of their own, which begin after ahead (0: when they are told), and returns the
// merged result and how long after it had told them the windows began.
func together(t *testing.T, l control.Load, ahead time.Duration) (r control.LoadResult, began []time.Duration) {
	t.Helper()
	const within = 20 * time.Second
	var parts []*control.Child
	for l.Part = range l.Parts {
		child, err := control.Spawn(t.Context(), control.Command{Name: "generator", Program: os.Args[0], Environ: []string{loadChild + "=1"}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(child.Kill)
		if _, err := child.Ask(t.Context(), control.Request{Do: control.Start, Load: &l}, control.Ready, within); err != nil {
			t.Fatal(err)
		}
		parts = append(parts, child)
	}
	var startNS int64
	now := clockNS(unix.CLOCK_MONOTONIC)
	if ahead > 0 {
		startNS = now + int64(ahead)
	}
	for _, child := range parts {
		if err := child.Send(t.Context(), control.Request{Do: control.Go, StartNS: startNS}); err != nil {
			t.Fatal(err)
		}
	}
	var results []control.LoadResult
	for _, child := range parts {
		opened, err1 := child.Await(t.Context(), control.Measuring, within)
		_, err2 := child.Await(t.Context(), control.Measured, within)
		result, err3 := child.Await(t.Context(), control.Result, within)
		if err := errors.Join(err1, err2, err3); err != nil {
			t.Fatal(err)
		}
		began, results = append(began, time.Duration(opened.Usage.MonotonicNS-now)), append(results, *result.Result)
	}
	for _, child := range parts {
		if err := child.Stop(t.Context(), within); err != nil {
			t.Error(err)
		}
	}
	r, err := Merge(results)
	if err != nil {
		t.Fatal(err)
	}
	return r, began
}

// apart runs a load in a process of its own. A load takes its process over, so two in one process disturb each other; tests
// that spend their time waiting and run their loads apart can wait side by side.
func apart(t *testing.T, l control.Load) control.LoadResult {
	t.Helper()
	l.Parts = 1
	r, _ := together(t, l, 0)
	checkResult(t, l, r)
	return r
}

func TestPartsOfALoadAreTheWholeLoad(t *testing.T) {
	t.Parallel()
	for _, rate := range []float64{0, 2000} {
		s := serve(t, "tcp", delayed(time.Millisecond))
		l := s.load()
		l.Conns, l.RateRPS, l.Parts, l.Threads, l.WindowNS = 7, rate, 3, 2, int64(300*time.Millisecond)
		l.TimeoutNS = int64(5 * time.Second)
		r, _ := together(t, l, 0)
		checkResult(t, l, r)
		if n := s.accepted.Load(); n != 7 || r.Asking != 7 {
			t.Errorf("rate %v: %d connections, and %d that ask, want 7", rate, n, r.Asking)
		}
		if n := s.requests.Load(); int64(r.Due) != n || r.Requests != r.Due {
			t.Errorf("rate %v: %d due, %d right; the server had %d", rate, r.Due, r.Requests, n)
		}
		if rate == 0 {
			if r.Fairness < 0.5 || r.Fairness > 1 {
				t.Errorf("the index of fairness is %v", r.Fairness)
			}
			continue
		}
		if want := len(partTimes(l)); int(r.Due) != want {
			t.Errorf("%d requests were due, want the %d of the same threads in one generator", r.Due, want)
		}
	}
}

// partTimes returns the intended times of a load's window, as all threads of all generators draw them.
func partTimes(l control.Load) (times []int64) {
	for i := range l.Parts * l.Threads {
		one := l
		one.Part = 0
		from, to := share(one, i)
		s := newSchedule(l, l.RateRPS*float64(to-from)/float64(l.Conns), i, l.Parts*l.Threads)
		for s.begin(0, l.WindowNS); s.next != never; {
			times = append(times, s.take())
		}
	}
	return times
}

func TestPartsBeginWhenTheyAreTold(t *testing.T) {
	s := serve(t, "tcp", echo)
	l := s.load()
	l.Parts, l.RateRPS = 2, 500
	const ahead = 300 * time.Millisecond
	patiently(t, func(int64) error {
		_, began := together(t, l, ahead)
		if first := slices.Min(began); first < ahead {
			t.Errorf("a window began after %v, before the %v that it was told", first, ahead)
		} else if first > ahead+100*time.Millisecond {
			return fmt.Errorf("the first window began after %v, not %v", first, ahead)
		}
		return nil
	})
	for _, wrong := range []int64{1, clockNS(unix.CLOCK_MONOTONIC) + int64(time.Hour)} {
		from := time.Now()
		mustRun(t, s.load(), Hooks{Start: func() int64 { return wrong }})
		if took := time.Since(from); took > 10*time.Second {
			t.Errorf("a start of another clock was waited for: %v", took)
		}
	}
}

func TestSilentConnectionsOfAllPartsAreAsked(t *testing.T) {
	t.Parallel()
	s := serve(t, "tcp", echo)
	l := s.load()
	l.Workload, l.Settings = "idle", map[string]string{"active": "3", "payload": fmt.Sprint(payload)}
	l.Conns, l.Parts, l.RateRPS, l.TimeoutNS = 50, 2, 300, int64(5*time.Second)
	r, _ := together(t, l, 0)
	if r.Silent == nil || r.Silent.Connections != 47 || r.Silent.Right != 47 || failures(r) > 0 {
		t.Errorf("%+v, errors %v", r.Silent, r.Errors)
	}
}

func TestLoadsThatCannotBeSharedAreRefused(t *testing.T) {
	good := (&server{network: "tcp", address: "127.0.0.1:1"}).load()
	good.Parts = 2
	for want, change := range map[string]func(l *control.Load){
		"--settle":         func(l *control.Load) { l.Settle = true },
		"--extend":         func(l *control.Load) { l.Extend = "p99" },
		"takes one":        func(l *control.Load) { l.Workload, l.Settings = "broadcast", nil },
		"each needs one":   func(l *control.Load) { l.Conns = 1 },
		"1 to 16":          func(l *control.Load) { l.Parts = 17 },
		"part 2 of 2":      func(l *control.Load) { l.Part = 2 },
		"8 generators for": func(l *control.Load) { l.Parts, l.Conns = 8, 4 },
	} {
		l := good
		change(&l)
		if err := Check(l); !misuse.Is(err) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
	if err := Check(good); err != nil {
		t.Error(err)
	}
}

func TestResultsThatCannotBeMergedAreAnError(t *testing.T) {
	damaged := control.LoadResult{Histograms: map[string]string{"service": "SElTVA=="}}
	if _, err := Merge([]control.LoadResult{damaged, damaged}); err == nil {
		t.Error("histograms that are none were merged")
	}
}
