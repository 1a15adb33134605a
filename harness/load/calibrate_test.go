package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"turnlab/harness/control"
	"turnlab/harness/record"
)

// limited is a generator that needs UtilBound of a CPU at a rate, sends late, and has one bad try.
func limited(most float64, fluke int) Try {
	tries := 0
	return func(_ context.Context, l control.Load) (control.LoadResult, error) {
		tries++
		perRequest := UtilBound * 1e9 / most
		if tries == fluke {
			perRequest *= 1e6
		}
		const sent = 50 // of 100, as on a busy machine
		return control.LoadResult{Due: 100, Sent: sent, Requests: 100, WindowNS: 100e6,
			Latency: map[string]record.Latency{"slip": {P50: 5e6, P99: 9e6, Count: 100}},
			Usage:   control.Usage{MonotonicNS: int64(perRequest * sent), CPUNS: int64(perRequest*sent) + 7000, SpinNS: 7000}}, nil
	}
}

func TestCalibrationFindsTheHighestRateThatIsSentOnTime(t *testing.T) {
	for _, most := range []float64{500, 1000, 1e4, 123_456, 2e7} {
		for fluke := range 12 {
			c, err := Calibrate(t.Context(), control.Load{WindowNS: 1e9}, 1, limited(most, fluke))
			if err != nil || c.GenMaxRPS > most*1.001 || c.GenMaxRPS < most/calibrateWidth || c.AtLeast {
				t.Errorf("limit %v, fluke at try %d: %+v, %v", most, fluke, c, err)
			}
			if len(c.Attempts) > MaxAttempts {
				t.Errorf("limit %v: %d attempts", most, len(c.Attempts))
			}
		}
	}
	if c, _ := Calibrate(t.Context(), control.Load{WindowNS: 1e9}, 1, limited(1e9, 0)); !c.AtLeast || c.GenMaxRPS != MaxRate {
		t.Errorf("no limit: %+v", c)
	}
}

func TestCalibrationAsksForNoMoreThanIsWanted(t *testing.T) {
	l := control.Load{WindowNS: 1e9, RateRPS: 5000}
	if c, err := Calibrate(t.Context(), l, 1, limited(1e6, 0)); err != nil || len(c.Attempts) != 1 || c.GenMaxRPS != 5000 || !c.AtLeast {
		t.Errorf("%+v, %v", c, err)
	}
	if c, err := Calibrate(t.Context(), l, 1, limited(3000, 0)); err != nil || c.AtLeast || c.GenMaxRPS > 3003 || c.GenMaxRPS < 2700 {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestGeneratorThatIsShortOfCPUHasReachedItsLimit(t *testing.T) {
	l := control.Load{WindowNS: 1e9, RateRPS: 100_000}
	c, err := Calibrate(t.Context(), l, 2, func(_ context.Context, l control.Load) (control.LoadResult, error) {
		return control.LoadResult{Due: 100, Sent: 100, Requests: 100, Usage: control.Usage{MonotonicNS: 3e6, CPUNS: 100 * 20e3}}, nil
	})
	if err != nil || c.GenMaxRPS > 80_000 || c.GenMaxRPS < 72_000 || c.ClientUtil > UtilBound || c.ClientUtil < 0.7 {
		t.Errorf("at 20 us a request 80 %% of two CPUs are 80,000 requests; %+v, %v", c, err)
	}
}

func TestGeneratorThatIsNotGivenACPUHasShownNoLimit(t *testing.T) {
	l := control.Load{WindowNS: 1e9, RateRPS: 10_000}
	c, err := Calibrate(t.Context(), l, 1, func(context.Context, control.Load) (control.LoadResult, error) {
		return control.LoadResult{Due: 1000, Sent: 5, Usage: control.Usage{MonotonicNS: 100e6, CPUNS: 1e6}}, nil
	})
	if err != nil || !c.AtLeast || len(c.Attempts) != 1 {
		t.Errorf("a hundredth of a CPU, with 0.2 ms for each of 5 requests, is the neighbours' doing; %+v, %v", c, err)
	}
}

func TestCalibrationEndsWithTheTryThatCannotBeMade(t *testing.T) {
	for _, rate := range []float64{0, 1000} {
		l := control.Load{WindowNS: 1e9, RateRPS: rate}
		if _, err := Calibrate(t.Context(), l, 1, func(context.Context, control.Load) (control.LoadResult, error) {
			return control.LoadResult{}, io.ErrUnexpectedEOF
		}); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("rate %v: %v", rate, err)
		}
	}
	if _, err := Calibrate(t.Context(), control.Load{}, 1, limited(1, 0)); err == nil {
		t.Error("a calibration without a window was accepted")
	}
}

// startNull runs the null responder and returns its address.
func startNull(t *testing.T, s control.Server) string {
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	code := make(chan int, 1)
	go func() { code <- NullMain(inR, outW) }()
	say, hear := json.NewEncoder(inW), json.NewDecoder(outR)
	var ready control.Event
	if err := say.Encode(control.Request{Do: control.Start, Server: &s}); err != nil {
		t.Fatal(err)
	}
	if err := hear.Decode(&ready); err != nil || ready.Is != control.Ready {
		t.Fatalf("%+v, %v", ready, err)
	}
	t.Cleanup(func() {
		var stopped control.Event
		say.Encode(control.Request{Do: control.Stop})
		if err := hear.Decode(&stopped); err != nil || stopped.Is != control.Stopped || <-code != 0 {
			t.Errorf("%+v, %v", stopped, err)
		}
	})
	return ready.Address
}

func TestNullResponderGivesRightAnswers(t *testing.T) {
	t.Parallel()
	for workload, settings := range map[string]map[string]string{
		"echo": {"payload": "300000"}, "http": nil, "hog": {"share": "0.5", "burst": "10s"}, "sleep": {"delay": "10s"},
		"churn": {"requests": "2"}, "idle": {"active": "2"}, "stream": {"size": "200000"},
	} {
		l := control.Load{Workload: workload, Settings: settings, Network: "tcp", Conns: 6, Depth: 2, Seed: 1,
			WindowNS: int64(100 * time.Millisecond), TimeoutNS: int64(5 * time.Second)}
		l.Address = startNull(t, control.Server{Workload: workload, Settings: settings, Network: "tcp", Address: "127.0.0.1:0"})
		patiently(t, func(longer int64) error {
			l.WindowNS *= longer
			r := apart(t, l)
			if failures(r) > 0 || r.Unanswered > 0 {
				t.Errorf("%s: %d right, errors %v: %s", workload, r.Requests, r.Errors, r.FirstError)
			}
			if r.Requests == 0 {
				return fmt.Errorf("%s: no request fell into the window", workload)
			}
			return nil
		})
	}
}

func TestNullResponderSaysWhatItCannotServe(t *testing.T) {
	for _, workload := range []string{"broadcast", "fanout", "nonsense"} {
		if _, _, err := newNull(control.Server{Workload: workload, Network: "tcp", Address: "127.0.0.1:0"}); err == nil {
			t.Errorf("%s: accepted", workload)
		}
	}
}
