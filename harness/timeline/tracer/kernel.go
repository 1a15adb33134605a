package tracer

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"

	"turnlab/harness/proc"
)

// switches takes the kernel's records of when it put this process's threads on a CPU and took them off again.
//
// The source is perf_event_open(2) with an event that counts nothing (PERF_COUNT_SW_DUMMY) but has context switches
// recorded. A process may watch itself up to kernel.perf_event_paranoid 2, which is what most systems have; where it may
// not, the caller hears why. There is an event for each thread on each CPU, because the kernel lets events share a buffer
// only if they are of one CPU. Threads that are made later inherit the events of those that make them.
type switches struct {
	events  []int
	buffers [][]byte // one for each CPU: a page of metadata, then the records
	owners  []int    // the events that have them
}

// Pages of a CPU's buffer: what is tried first, 65,000 switches, and the most that a user without privileges may lock.
var bufferPages = []int{512, 128}

const metaHead = 1024 // where the metadata says how much has been written

// watchThreads begins to record the switches of this process's threads, those that it has and those that it will have.
//
// A thread that is made while the events are opened may inherit none, so it looks for new ones until there are none. Such a
// thread may also inherit one and get another: its switches are then recorded twice, and read once.
func watchThreads() (*switches, error) {
	s := &switches{}
	watched := map[int]bool{}
	found, err := true, error(nil)
	for look := 0; found && err == nil; look++ {
		if found, err = s.watchNew(watched); err == nil && look == threadLooks {
			err = errors.New("new threads kept appearing")
		}
	}
	if err == nil {
		err = s.all(unix.PERF_EVENT_IOC_ENABLE, 0)
	}
	if err != nil {
		s.close()
		return nil, explain(err)
	}
	return s, nil
}

// threadLooks bounds the looks for new threads.
const threadLooks = 100

// watchNew makes the events of threads that have none yet, and reports whether there were any.
func (s *switches) watchNew(watched map[int]bool) (found bool, err error) {
	threads, err := threadIDs()
	if err != nil {
		return false, err
	}
	threads = slices.DeleteFunc(threads, func(id int) bool { return watched[id] })
	allowed := proc.Allowed()
	for cpu, nth := 0, 0; cpu <= proc.MaxCPU && len(threads) > 0; cpu++ {
		if !allowed.Has(cpu) {
			continue
		}
		if err := s.watchCPU(cpu, nth, threads); err != nil {
			return false, err
		}
		nth++
	}
	for _, id := range threads {
		watched[id] = true
	}
	return len(threads) > 0, nil
}

// explain says what to do where the kernel refuses.
func explain(err error) error {
	if errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOSYS) {
		return fmt.Errorf("the kernel does not tell its context switches (%w); sysctl kernel.perf_event_paranoid=2, or root, helps", err)
	}
	return fmt.Errorf("read the kernel's context switches: %w", err)
}

func threadIDs() ([]int, error) {
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return nil, fmt.Errorf("list this process's threads: %w", err)
	}
	var ids []int
	for _, task := range tasks {
		id, err := strconv.Atoi(task.Name())
		if err != nil {
			return nil, fmt.Errorf("list this process's threads: %w", err)
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// watchCPU makes the events of threads on one CPU, the nth of ours. The first event there has the buffer and all others write
// into it.
func (s *switches) watchCPU(cpu, nth int, threads []int) error {
	for _, thread := range threads {
		fd, err := unix.PerfEventOpen(&unix.PerfEventAttr{
			Type: unix.PERF_TYPE_SOFTWARE, Config: unix.PERF_COUNT_SW_DUMMY, Size: uint32(unsafe.Sizeof(unix.PerfEventAttr{})),
			Sample_type: unix.PERF_SAMPLE_TID | unix.PERF_SAMPLE_TIME | unix.PERF_SAMPLE_CPU,
			Bits: unix.PerfBitDisabled | unix.PerfBitInherit | unix.PerfBitExcludeKernel | unix.PerfBitExcludeHv |
				unix.PerfBitContextSwitch | unix.PerfBitSampleIDAll | unix.PerfBitUseClockID,
			Clockid: unix.CLOCK_MONOTONIC,
		}, thread, cpu, -1, unix.PERF_FLAG_FD_CLOEXEC)
		if errors.Is(err, unix.ESRCH) {
			continue // it has ended
		}
		if err != nil {
			return err
		}
		s.events = append(s.events, fd)
		if nth == len(s.buffers) {
			s.owners = append(s.owners, fd)
			err = s.mapBuffer(fd)
		} else {
			err = unix.IoctlSetInt(fd, unix.PERF_EVENT_IOC_SET_OUTPUT, s.owners[nth])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// mapBuffer gives an event the largest buffer that is allowed.
func (s *switches) mapBuffer(fd int) (err error) {
	for _, pages := range bufferPages {
		var buffer []byte
		buffer, err = unix.Mmap(fd, 0, (1+pages)*os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		if err == nil {
			s.buffers = append(s.buffers, buffer)
			return nil
		}
	}
	return err
}

// all tells all events the same.
func (s *switches) all(request uint, value int) error {
	for _, fd := range s.events {
		if err := unix.IoctlSetInt(fd, request, value); err != nil {
			return err
		}
	}
	return nil
}

// collect ends the recording and returns the records, CPU by CPU, and whether there was no room for more.
func (s *switches) collect() (records []byte, full bool, err error) {
	defer s.close()
	if err := s.all(unix.PERF_EVENT_IOC_DISABLE, 0); err != nil {
		return nil, false, fmt.Errorf("end the recording of context switches: %w", err)
	}
	for _, b := range s.buffers {
		room := b[os.Getpagesize():]
		head := binary.NativeEndian.Uint64(b[metaHead:])
		if head+recordBytes > uint64(len(room)) { // nobody reads meanwhile, so the kernel stops where it is full
			full = true
		}
		records = append(records, room[:min(head, uint64(len(room)))]...)
	}
	return records, full || len(records) > kernelMax, nil
}

func (s *switches) close() {
	for _, b := range s.buffers {
		_ = unix.Munmap(b)
	}
	for _, fd := range s.events {
		_ = unix.Close(fd)
	}
	s.buffers, s.events, s.owners = nil, nil, nil
}

// A Switch is a thread that the kernel put on a CPU or took off it.
type Switch struct {
	AtNS      int64
	Thread    int
	CPU       int
	In        bool
	Preempted bool // taken off although it could have gone on
}

// A record of a switch has a header (type, flags, size) and what Sample_type asked for: process and thread, time, CPU.
const (
	headerBytes = 8
	recordBytes = 32
)

// ParseSwitches reads the kernel's records and returns them by time, each once. Records of other kinds are left out.
func ParseSwitches(records []byte) []Switch {
	var found []Switch
	order := binary.NativeEndian
	for len(records) >= headerBytes {
		kind, flags, size := order.Uint32(records), order.Uint16(records[4:]), int(order.Uint16(records[6:]))
		if size < headerBytes || size > len(records) {
			break
		}
		if kind == unix.PERF_RECORD_SWITCH && size >= recordBytes {
			found = append(found, Switch{
				Thread: int(order.Uint32(records[12:])), AtNS: int64(order.Uint64(records[16:])), CPU: int(order.Uint32(records[24:])),
				In:        flags&unix.PERF_RECORD_MISC_SWITCH_OUT == 0,
				Preempted: flags&unix.PERF_RECORD_MISC_SWITCH_OUT_PREEMPT != 0,
			})
		}
		records = records[size:]
	}
	slices.SortStableFunc(found, func(a, b Switch) int {
		return cmp.Or(cmp.Compare(a.AtNS, b.AtNS), cmp.Compare(a.Thread, b.Thread))
	})
	return slices.Compact(found)
}
