package plan

import (
	"time"

	"turnlab/harness/record"
)

// CoolDown is how long the machine is left alone after a trial of p. What two processes with thousands of connections leave
// behind is not gone when they are: the kernel frees sockets after a grace period, one by one, on CPUs that the next trial
// would have to share with it. A grace period takes some 10 ms; 25 µs for each connection are several times what a close
// takes.
func CoolDown(p record.Point) time.Duration {
	const grace, perConn = 20 * time.Millisecond, 25 * time.Microsecond
	if p.Mode == record.Primitive {
		return 0
	}
	return grace + time.Duration(p.Number("conns"))*perConn
}
