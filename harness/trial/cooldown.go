package trial

import (
	"context"
	"time"

	"turnlab/harness/plan"
	"turnlab/harness/record"
)

// coolDown waits until the machine has got over a trial, see plan.CoolDown.
func coolDown(ctx context.Context, p record.Point) {
	wait := time.NewTimer(plan.CoolDown(p))
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-ctx.Done():
	}
}
