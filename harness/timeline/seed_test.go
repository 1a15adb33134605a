package timeline

import (
	"testing"

	"turnlab/harness/plan"
	"turnlab/workloads"
)

// hogTimes returns when hogs of a job are due, from the start of the span, as the generator would send them.
func hogTimes(t *testing.T, job plan.Job) (times []int64) {
	t.Helper()
	makers, err := clientsOf(workloads.Hog, job)
	if err != nil {
		t.Fatal(err)
	}
	clients := make([]workloads.Client, int(job.Point.Number("conns")))
	for i := range clients {
		clients[i] = makers.NewClient(i)
		clients[i].Request(nil) // as the connection is opened
	}
	from := int64(job.Point.Duration("warmup"))
	all, err := schedule(job, 0, from+int64(job.Point.Duration("duration")), len(clients))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		if clients[d.conn].Request(nil)[0] == 'H' && d.at >= from {
			times = append(times, d.at-from)
		}
	}
	return times
}

func TestThePictureOfTheHogsShowsOneAloneAndTwoTogetherAndTheirEnd(t *testing.T) {
	p := resolve(t, Sweep([]string{"preempt"}))
	point := p.Points[0]
	burst := int64(point.Duration("hog.burst"))
	var alone, together int
	var free int64 // when the CPU has nothing to compute, were hogs to run to their ends
	for i, at := range hogTimes(t, plan.Job{Point: point, Seed: p.Seed}) {
		switch {
		case i == 0 || at >= free:
			alone++
		case free-at <= burst:
			together++
		default:
			t.Errorf("a third hog comes after %d µs, while two are under way", at/1000)
		}
		free = max(free, at) + burst
	}
	if alone-together < 1 || together < 1 || free > int64(point.Duration("duration")) {
		t.Errorf("%d busy times, %d of them of two hogs; the last ends after %d µs", alone, together, free/1000)
	}
}
