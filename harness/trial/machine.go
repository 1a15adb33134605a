package trial

import (
	"math"
	"time"

	"github.com/prometheus/procfs"

	"turnlab/harness/record"
)

// cpuTime is what a set of CPUs has done since the machine booted, in seconds, and when that was read.
type cpuTime struct {
	at    time.Time
	busy  float64 // neither idle nor stolen, up to a constant
	steal float64 // the hypervisor ran somebody else
}

// readCPUs reads /proc/stat for the given CPUs. ok is false where that is not possible; a trial is none the worse for it.
//
// Busy is what is left of the time when idle and stolen time are taken off. Idle time is exact on kernels that stop their
// clock when idle, which is all of today's; the columns of work are counted by the clock's ticks, and a server that always
// wakes right after a tick would never be seen at work.
//
// Where the kernel accounts interrupts apart, their time is in no process, and ours must not count as foreign. It does so
// when it has found any time in interrupts at all; otherwise it puts that time into whatever was interrupted.
func readCPUs(cpus []int) (t cpuTime, ok bool) {
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return t, false
	}
	stat, err := fs.Stat()
	t.at = time.Now()
	for _, cpu := range cpus {
		c, known := stat.CPU[int64(cpu)]
		if err != nil || !known {
			return t, false
		}
		t.steal += c.Steal
		t.busy -= c.Idle + c.Iowait + c.Steal
		if stat.CPUTotal.IRQ > 0 {
			t.busy -= c.IRQ + c.SoftIRQ
		}
	}
	return t, len(cpus) > 0
}

// shortest is the least time over which the kernel's hundredths of a second say anything, in seconds.
const shortest = 0.1

// addMachine writes down what others did on a number of CPUs between two readings.
func addMachine(t *record.Trial, cpus int, before, after cpuTime) {
	if c := t.CPU; c != nil {
		t.Machine = strangers(cpus, before, after, c.ServerUtil+c.ClientUtil+c.ClientSpinUtil+c.UpstreamUtil)
	}
}

// strangers returns what others did on a number of CPUs between two readings, when ours is what we did, in CPUs; nil after
// too short a time.
func strangers(cpus int, before, after cpuTime, ours float64) *record.Machine {
	seconds := after.at.Sub(before.at).Seconds()
	if seconds < shortest {
		return nil
	}
	busy := float64(cpus) + (after.busy-before.busy)/seconds // the constant: all the time there was
	return &record.Machine{
		ForeignUtil: math.Max(0, busy-ours),
		StealUtil:   math.Max(0, (after.steal-before.steal)/seconds),
	}
}
