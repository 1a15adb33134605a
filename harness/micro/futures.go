package micro

import (
	"errors"
	"fmt"

	"turnlab/coop"
	"turnlab/internal/misuse"
	"turnlab/internal/option"
)

var poll = &Operation{
	Name:    "poll",
	Summary: "ask a future that is ready, through its interface: the least a future can cost",
	Ways: []Way{
		{Engine: "coop", Does: "a call of Poll and a look at its answer", Procs: coopProcs, Make: newPoller},
	},
}

// poller polls a future that is always ready.
type poller struct {
	cx    *coop.Context
	fut   coop.Future[int]
	polls int // as many as were ready
}

func newPoller(option.Values) (Runner, error) {
	return &poller{cx: coop.NewContext(coop.NoopWaker()), fut: coop.Ready(1)}, nil
}

func (p *poller) Run(n int) error {
	sum := 0
	for range n {
		v, _ := p.fut.Poll(p.cx).Get()
		sum += v
	}
	p.polls += sum
	if sum != n {
		return errors.New("a future that is ready was not")
	}
	return nil
}

func (p *poller) Close() error { return nil }

var chain = &Operation{
	Name:    "chain",
	Summary: "ask a future inside a future inside a future, and get Pending from the innermost",
	Options: option.Set{{Name: "levels", Kind: option.Int, Default: "8", Min: 1, Max: 1000,
		Help: "futures inside each other; every poll of the outermost walks all of them"}},
	Ways: []Way{
		{Engine: "coop", Does: "levels times Map: a call for each level", Procs: coopProcs, Make: newChain},
		{Engine: "coop/await", Does: "levels async functions that await each other: a coroutine, and so a switch there and back, for each level",
			Procs: coopProcs, Make: newAwaitChain},
	},
}

// bottom is the future at the end of a chain. It never comes.
type bottom struct{ polls int }

func (b *bottom) Poll(*coop.Context) coop.Poll[int] {
	b.polls++
	return coop.Pending[int]()
}

// chained polls a chain.
type chained struct {
	cx     *coop.Context
	outer  coop.Future[int]
	bottom *bottom
}

func newChain(o option.Values) (Runner, error) {
	c := &chained{cx: coop.NewContext(coop.NoopWaker()), bottom: &bottom{}}
	c.outer = c.bottom
	for range o.Int("levels") {
		c.outer = coop.Map(c.outer, func(v int) int { return v + 1 })
	}
	return c, nil
}

func newAwaitChain(o option.Values) (Runner, error) {
	c := &chained{cx: coop.NewContext(coop.NoopWaker()), bottom: &bottom{}}
	c.outer = c.bottom
	for range o.Int("levels") {
		inner := c.outer
		c.outer = coop.Async(func(co *coop.Co) int { return coop.Await(co, inner) + 1 })
	}
	return c, nil
}

func (c *chained) Run(n int) error {
	before := c.bottom.polls
	for range n {
		if c.outer.Poll(c.cx).IsReady() {
			return errors.New("a chain of futures is ready although its innermost is not")
		}
	}
	if polls := c.bottom.polls - before; polls != n {
		return fmt.Errorf("%d polls of the outermost future were %d of the innermost", n, polls)
	}
	return nil
}

func (c *chained) Close() error {
	coop.Drop(c.cx, c.outer)
	return nil
}

var future = &Operation{
	Name:    "future",
	Summary: "make a future of some size, give it to the future that will poll it, and poll it to its end",
	Options: option.Set{
		{Name: "bytes", Kind: option.Size, Default: "64", Min: 64, Max: 64 << 10,
			Help: "bytes of what the future keeps between polls: 64, 256, 1k, 4k, 16k or 64k"},
	},
	Ways: []Way{
		{Engine: "coop", Does: "make, copy or allocate, poll once", Procs: coopProcs, Make: newSized,
			Options: option.Set{{Name: "box", Kind: option.Choice, Default: "inline", Choices: []string{"inline", "boxed"},
				Help: "inline: it lies inside the other one, and to give it is to copy it; boxed: the other one has a pointer, and to make it is to allocate it"}}},
	},
}

// state is what a future of some size keeps, less the eight bytes of its counter.
type state interface {
	[56]byte | [248]byte | [1016]byte | [4088]byte | [16376]byte | [65528]byte
}

// sized is a future that keeps something.
type sized[S state] struct {
	count int64
	kept  S
}

// newFuture is not inlined, as the constructor of a future seldom is: what it returns is then really copied.
//
//go:noinline
func newFuture[S state](count int64) (f sized[S]) {
	f.count = count
	f.kept[0], f.kept[len(f.kept)-1] = byte(count), byte(count)
	return f
}

// Poll touches both ends of what is kept.
func (f *sized[S]) Poll(*coop.Context) coop.Poll[byte] {
	return coop.Ready(f.kept[0] ^ f.kept[len(f.kept)-1])
}

// parent is the future that polls another one, which lies inside it or elsewhere.
type parent[S state] struct {
	cx     *coop.Context
	boxed  bool
	inline sized[S]
	child  coop.Future[byte]
}

func (p *parent[S]) Run(n int) error {
	for i := range n {
		if p.boxed {
			box := newFuture[S](int64(i))
			p.child = &box // which the compiler therefore makes on the heap
		} else {
			p.inline = newFuture[S](int64(i))
			p.child = &p.inline
		}
		if v, ok := p.child.Poll(p.cx).Get(); !ok || v != 0 {
			return errors.New("a future has not kept what it was given")
		}
	}
	return nil
}

func (p *parent[S]) Close() error { return nil }

func newParent[S state](boxed bool) Runner {
	return &parent[S]{cx: coop.NewContext(coop.NoopWaker()), boxed: boxed}
}

func newSized(o option.Values) (Runner, error) {
	boxed := o.Text("box") == "boxed"
	switch o.Int("bytes") {
	case 64:
		return newParent[[56]byte](boxed), nil
	case 256:
		return newParent[[248]byte](boxed), nil
	case 1 << 10:
		return newParent[[1016]byte](boxed), nil
	case 4 << 10:
		return newParent[[4088]byte](boxed), nil
	case 16 << 10:
		return newParent[[16376]byte](boxed), nil
	case 64 << 10:
		return newParent[[65528]byte](boxed), nil
	}
	return nil, misuse.Errorf("future.bytes %s: it takes 64, 256, 1k, 4k, 16k or 64k, because Go makes the types when it compiles", o.Text("bytes"))
}
