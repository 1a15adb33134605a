package plan

import (
	"testing"
	"time"

	"turnlab/harness/record"
)

func TestTheMachineIsLeftAloneForLongerAfterMoreConnections(t *testing.T) {
	after := func(mode string, conns float64) time.Duration {
		return CoolDown(record.Point{Mode: mode, Params: map[string]any{"conns": conns}})
	}
	few, many := after(record.Closed, 1), after(record.Open, 8192)
	if few < 20*time.Millisecond || few > 50*time.Millisecond || many < 5*few || many > time.Second {
		t.Errorf("%v after one connection, %v after 8,192", few, many)
	}
	if none := after(record.Primitive, 0); none != 0 {
		t.Errorf("%v after a trial without a connection", none)
	}
}
