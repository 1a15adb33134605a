package trial

import (
	"testing"

	"turnlab/harness/record"
	"turnlab/harness/trial/trialtest"
)

func TestAnOpenLoopWritesDownHowManyRequestsWaitedForAConnection(t *testing.T) {
	for mode, want := range map[string]uint64{record.Open: 7, record.Closed: 0} {
		tr := record.Trial{Point: record.Point{Mode: mode}}
		r := trialtest.Result(1)
		r.Waited = 7
		Record(&tr, r)
		if tr.Waited != want {
			t.Errorf("%s loop: %d waited, want %d", mode, tr.Waited, want)
		}
	}
}
