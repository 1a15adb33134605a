package proc

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"turnlab/internal/misuse"
)

// MaxCPU is the highest CPU number a CPUSet can hold: the kernel's interface for plain masks ends there.
const MaxCPU = 1023

// A CPUSet is a set of CPUs. Sets compare with ==.
type CPUSet struct{ mask unix.CPUSet }

// ParseCPUs reads the kernel's list form: "0", "0-3,5".
func ParseCPUs(text string) (CPUSet, error) {
	var s CPUSet
	for _, item := range strings.Split(text, ",") {
		from, to, isRange := strings.Cut(strings.TrimSpace(item), "-")
		if !isRange {
			to = from
		}
		first, err1 := strconv.Atoi(from)
		last, err2 := strconv.Atoi(to)
		if err1 != nil || err2 != nil || first < 0 || last < first || last > MaxCPU {
			return CPUSet{}, misuse.Errorf("%q is not a list of CPUs such as 0 or 0-3,5 (numbers up to %d)", text, MaxCPU)
		}
		for cpu := first; cpu <= last; cpu++ {
			s.mask.Set(cpu)
		}
	}
	return s, nil
}

// String returns the list form that ParseCPUs reads; an empty set is an empty text.
func (s CPUSet) String() string {
	var items []string
	for cpu := 0; cpu <= MaxCPU; cpu++ {
		if !s.Has(cpu) {
			continue
		}
		first := cpu
		for cpu < MaxCPU && s.Has(cpu+1) {
			cpu++
		}
		if first == cpu {
			items = append(items, strconv.Itoa(cpu))
		} else {
			items = append(items, fmt.Sprintf("%d-%d", first, cpu))
		}
	}
	return strings.Join(items, ",")
}

// Len returns the number of CPUs in the set.
func (s CPUSet) Len() int { return s.mask.Count() }

// Has reports whether cpu is in the set.
func (s CPUSet) Has(cpu int) bool { return s.mask.IsSet(cpu) }

// List returns the CPUs in ascending order.
func (s CPUSet) List() []int {
	list := make([]int, 0, s.Len())
	for cpu := 0; cpu <= MaxCPU; cpu++ {
		if s.Has(cpu) {
			list = append(list, cpu)
		}
	}
	return list
}

// And returns the CPUs that are in both sets.
func (s CPUSet) And(t CPUSet) CPUSet {
	for i := range s.mask {
		s.mask[i] &= t.mask[i]
	}
	return s
}

// Allowed returns the CPUs that this process may use. PinSelf changes it.
func Allowed() CPUSet {
	pinning.Lock()
	defer pinning.Unlock()
	var s CPUSet
	if err := unix.SchedGetaffinity(os.Getpid(), &s.mask); err != nil {
		// The call has no way to fail for the caller's own process and a mask of 1024 bits, except on a machine with more
		// CPUs than that, which MaxCPU rules out.
		panic("proc: " + err.Error())
	}
	return s
}

// Or returns the CPUs that are in either set.
func (s CPUSet) Or(t CPUSet) CPUSet {
	for i := range s.mask {
		s.mask[i] |= t.mask[i]
	}
	return s
}
