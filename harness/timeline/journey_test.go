package timeline

import (
	"math"
	"testing"

	"turnlab/harness/plan"
	"turnlab/harness/record"
	"turnlab/internal/misuse"
)

func TestScheduleRefusesRatesThatAreNotAboveZero(t *testing.T) {
	for _, rate := range []any{nil, 0.0, -5.0, math.NaN()} {
		params := map[string]any{"arrivals": "poisson"}
		if rate != nil { // a share that is not settled leaves no rate at all
			params["rate"] = rate
		}
		_, err := schedule(plan.Job{Point: record.Point{Params: params}}, 0, 1e9, 4)
		if !misuse.Is(err) {
			t.Errorf("rate %v: %v", rate, err)
		}
	}
}

func TestCheckRefusesAShareOfARate(t *testing.T) {
	point := record.Point{Engine: "coop", Mode: record.Open, Params: map[string]any{"rate-share": 0.5, "conns": 4.0}}
	if err := check(plan.Catalog{}, point); !misuse.Is(err) {
		t.Errorf("a share of what nobody measured: %v", err)
	}
}
