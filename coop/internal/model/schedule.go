package model

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// Scheduler decides, in one execution after the other, who takes the next step.
type Scheduler interface {
	// Begin prepares the next execution. It reports false when there is nothing left to try.
	Begin() bool
	// Pick returns one of the runnable threads, of which there are at least two. current is the thread that is about to
	// take its next step, or -1 when that one is blocked or has ended: choosing another one is then no preemption.
	Pick(current int, runnable []int) int
}

// Exhaustive tries every schedule with at most so many preemptions, and no more executions than a bound.
//
// Most mistakes need few preemptions, at the right places: two or three find nearly everything that ten would, and the
// number of schedules is a power of it. Switches away from a blocked thread are free and all tried.
type Exhaustive struct {
	preemptions int
	left        int // executions
	path        []choice
	depth       int // how many choices the present execution has made
	used        int // preemptions in the present execution
	begun       bool
	complete    bool
}

// choice is one point where more than one thread could go on.
type choice struct{ taken, options int }

// NewExhaustive returns a scheduler for at most executionsMax executions.
func NewExhaustive(preemptions, executionsMax int) *Exhaustive {
	return &Exhaustive{preemptions: preemptions, left: executionsMax}
}

// Complete reports whether every schedule has been tried.
func (e *Exhaustive) Complete() bool { return e.complete }

// Begin goes back to the last choice that has an option left.
func (e *Exhaustive) Begin() bool {
	if e.begun {
		for len(e.path) > 0 && e.path[len(e.path)-1].taken+1 == e.path[len(e.path)-1].options {
			e.path = e.path[:len(e.path)-1]
		}
		if len(e.path) == 0 {
			e.complete = true
			return false
		}
		e.path[len(e.path)-1].taken++
	}
	e.left--
	e.begun, e.depth, e.used = true, 0, 0
	return e.left >= 0
}

// Pick offers the current thread first, and the others if a preemption is left.
func (e *Exhaustive) Pick(current int, runnable []int) int {
	if current >= 0 && e.used == e.preemptions {
		return current
	}
	taken := e.choose(len(runnable))
	if current < 0 {
		return runnable[taken]
	}
	if taken == 0 {
		return current
	}
	e.used++
	for _, number := range runnable {
		if number != current {
			if taken--; taken == 0 {
				return number
			}
		}
	}
	panic("model: unreachable")
}

func (e *Exhaustive) choose(options int) int {
	if e.depth == len(e.path) {
		e.path = append(e.path, choice{0, options})
	}
	c := e.path[e.depth]
	if c.options != options {
		panic("model: the program does not do the same when it is run in the same order")
	}
	e.depth++
	return c.taken
}

// PCT gives the threads random priorities and lets the highest that can run; at a few random steps the one that runs falls
// to the bottom. A mistake that needs d such steps is found with a probability of at least 1/(n·k^(d-1)) per execution of n
// threads and k steps (Burckhardt et al., 2010), which is far better than what even chances at each step give.
type PCT struct {
	depth    int
	left     int
	random   *rand.Rand
	priority map[int]int
	changes  map[int]bool // the steps at which the current thread falls
	step     int
	longest  int // the most steps of an execution so far
	lowest   int
}

// NewPCT returns a scheduler that looks for mistakes of a depth.
func NewPCT(depth, executions int, seed uint64) *PCT {
	return &PCT{depth: depth, left: executions, random: rand.New(rand.NewPCG(seed, 1)), longest: 50}
}

// Begin draws where the thread that runs will fall.
func (p *PCT) Begin() bool {
	p.longest = max(p.longest, p.step)
	p.priority, p.changes, p.step, p.lowest = map[int]int{}, map[int]bool{}, 0, 0
	for range p.depth - 1 {
		p.changes[p.random.IntN(p.longest)] = true
	}
	p.left--
	return p.left >= 0
}

// Pick returns the thread with the highest priority.
func (p *PCT) Pick(current int, runnable []int) int {
	p.step++
	if p.changes[p.step] && current >= 0 {
		p.lowest--
		p.priority[current] = p.lowest
	}
	best := runnable[0]
	for _, number := range runnable {
		if _, drawn := p.priority[number]; !drawn {
			p.priority[number] = 1 + p.random.IntN(1<<30)
		}
		if p.priority[number] > p.priority[best] {
			best = number
		}
	}
	return best
}

// Random gives every thread that can run the same chance at each step.
type Random struct {
	left   int
	random *rand.Rand
}

// NewRandom returns a scheduler for so many executions.
func NewRandom(executions int, seed uint64) *Random {
	return &Random{executions, rand.New(rand.NewPCG(seed, 2))}
}

// Begin counts.
func (r *Random) Begin() bool { r.left--; return r.left >= 0 }

// Pick draws.
func (r *Random) Pick(_ int, runnable []int) int { return runnable[r.random.IntN(len(runnable))] }

// replay repeats one execution.
type replay struct {
	schedule []byte
	begun    bool
	world    *World
}

func (r *replay) Begin() bool {
	again := !r.begun
	r.begun = true
	return again
}

func (r *replay) Pick(current int, runnable []int) int {
	if step := len(r.world.schedule); step < len(r.schedule) {
		for _, number := range runnable {
			if number == int(r.schedule[step]) {
				return number
			}
		}
	}
	return runnable[0]
}

// seed writes a schedule down: thread a took 14 steps, then b 3, and so on: "a14b3".
func seed(schedule []byte) string {
	var s strings.Builder
	for i := 0; i < len(schedule); {
		n := 1
		for i+n < len(schedule) && schedule[i+n] == schedule[i] {
			n++
		}
		fmt.Fprintf(&s, "%c%d", 'a'+schedule[i], n)
		i += n
	}
	return s.String()
}

// unseed reads what seed has written.
func unseed(text string) (schedule []byte, err error) {
	for rest := text; rest != ""; {
		end := 1
		for end < len(rest) && rest[end] >= '0' && rest[end] <= '9' {
			end++
		}
		n, err := strconv.Atoi(rest[1:end])
		if err != nil || n > stepsMax {
			return nil, fmt.Errorf("%q is not a seed: it must look like a14b3", text)
		}
		schedule = append(schedule, strings.Repeat(string(rest[0]-'a'), n)...)
		rest = rest[end:]
	}
	return schedule, nil
}
