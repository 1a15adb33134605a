package load

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"testing"
	"time"

	"turnlab/harness/control"
	"turnlab/harness/record"
)

// limited is a generator that is on time up to a rate.
func limited(most float64, fluke int) func(context.Context, control.Load) (control.LoadResult, error) {
	tries := 0
	return func(_ context.Context, l control.Load) (control.LoadResult, error) {
		tries++
		slip := int64(10e3)
		if l.RateRPS > most || tries == fluke {
			slip = 5e6
		}
		return control.LoadResult{Due: 100, Sent: 100, Requests: 100,
			Latency: map[string]record.Latency{"slip": {P99: slip, Count: 100}}}, nil
	}
}

func TestCalibrationFindsTheHighestRateThatIsSentOnTime(t *testing.T) {
	for _, most := range []float64{1, 37, 1000, 1e4, 123_456, 2e7} {
		for fluke := range 12 {
			c, err := Calibrate(t.Context(), control.Load{WindowNS: 1e9}, SlipBound, limited(most, fluke))
			if err != nil || c.GenMaxRPS > most || c.GenMaxRPS < most/calibrateWidth && most > 1 || c.AtLeast {
				t.Errorf("limit %v, fluke at try %d: %+v, %v", most, fluke, c, err)
			}
			if len(c.Probes) > MaxProbes {
				t.Errorf("limit %v: %d probes", most, len(c.Probes))
			}
		}
	}
	if c, _ := Calibrate(t.Context(), control.Load{WindowNS: 1e9}, SlipBound, limited(1e9, 0)); !c.AtLeast || c.GenMaxRPS != MaxRate {
		t.Errorf("no limit: %+v", c)
	}
	if _, err := Calibrate(t.Context(), control.Load{}, SlipBound, limited(1, 0)); err == nil {
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
	for workload, settings := range map[string]map[string]string{
		"echo": {"payload": "300000"}, "http": nil, "hog": {"share": "0.5", "burst": "10s"}, "sleep": {"delay": "10s"},
		"churn": {"requests": "2"}, "idle": {"active": "2"}, "stream": {"size": "200000"},
	} {
		l := control.Load{Workload: workload, Settings: settings, Network: "tcp", Conns: 6, Depth: 2, Seed: 1,
			WindowNS: int64(100 * time.Millisecond), TimeoutNS: int64(5 * time.Second)}
		l.Address = startNull(t, control.Server{Workload: workload, Settings: settings, Network: "tcp", Address: "127.0.0.1:0"})
		patiently(t, func(longer int64) error {
			l.WindowNS *= longer
			r := mustRun(t, l, Hooks{})
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
