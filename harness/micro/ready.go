package micro

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"golang.org/x/sys/unix"

	"turnlab/coop"
	"turnlab/coop/netio"
	"turnlab/coop/reactor"
	"turnlab/internal/nonblock"
	"turnlab/internal/option"
)

var ready = &Operation{
	Name: "ready",
	Summary: "one of two tasks writes a byte to the other's socket and waits for one from it: half of a round. A task that waits for " +
		"input is woken by the kernel, whoever schedules it, and the system calls are most of it",
	Options: option.Set{pinnedOption},
	Ways: []Way{
		{Engine: "coop", Does: "two futures on one executor, woken by epoll", Procs: coopProcs, Make: newSocketTasks},
		{Engine: "coop/await", Does: "the same as async functions", Procs: coopProcs, Make: newAwaitSocketTasks},
		{Engine: "preempt", Does: "two goroutines on package net", Procs: goroutineProcs, Make: newSocketGoroutines},
		{Engine: "threads", Does: "two OS threads on blocking sockets", Procs: threadProcs(2), Make: newSocketThreads},
		{Engine: "loop", Does: "one thread writes and reads the byte itself, with nobody to switch to: subtract it", Procs: loopProcs, Make: newLoopback},
	},
}

// talker is a task that answers a byte with a byte, for left times; negative is for ever. The one that begins writes first.
type talker struct {
	conn   netio.Conn
	begins bool
	left   int
	byte   [1]byte
	room   [8]byte // more than is sent, so that a read which empties the socket is known to have done so
}

// Poll is the talker as a state machine: it waits only to read, because a byte always fits into the socket.
func (t *talker) Poll(cx *coop.Context) coop.Poll[error] {
	for {
		if !t.begins {
			r, ok := t.conn.PollRead(cx, t.room[:]).Get()
			switch {
			case !ok:
				return coop.Pending[error]()
			case r.Err != nil:
				return coop.Ready(r.Err)
			}
		}
		t.begins = false
		if t.left == 0 {
			return coop.Ready[error](nil)
		}
		t.left--
		if err := t.write(cx); err != nil {
			return coop.Ready(err)
		}
	}
}

func (t *talker) write(cx *coop.Context) error {
	r, ok := t.conn.PollWrite(cx, t.byte[:]).Get()
	if !ok {
		return errors.New("there was no room for a byte in a socket that is empty")
	}
	return r.Err
}

// talk is the talker as an async function.
func (t *talker) talk(co *coop.Co) error {
	read := coop.Future[coop.Result[int]](t.conn.Read(t.room[:]))
	write := coop.Future[coop.Result[int]](t.conn.Write(t.byte[:]))
	for {
		if !t.begins {
			if r := coop.Await(co, read); r.Err != nil {
				return r.Err
			}
		}
		t.begins = false
		if t.left == 0 {
			return nil
		}
		t.left--
		if r := coop.Await(co, write); r.Err != nil {
			return r.Err
		}
	}
}

// socketPair is two talkers on one executor.
type socketPair struct {
	ex   *coop.Executor
	mine netio.Conn
	task func(*talker) coop.Future[error]
}

func newSocketTasks(option.Values) (Runner, error) {
	return newSocketPair(func(t *talker) coop.Future[error] { return t })
}

func newAwaitSocketTasks(option.Values) (Runner, error) {
	return newSocketPair(func(t *talker) coop.Future[error] { return coop.Async(t.talk) })
}

func newSocketPair(task func(*talker) coop.Future[error]) (Runner, error) {
	ex, err := newExecutor(2)
	if err != nil {
		return nil, err
	}
	mine, other, err := adopt(ex)
	if err != nil {
		return nil, errors.Join(err, ex.Close())
	}
	answers := task(&talker{conn: other, left: -1})
	forget := coop.Map(answers, func(error) coop.Unit { return coop.Unit{} }) // if it fails, the other one finds the socket closed
	return &socketPair{ex: ex, mine: mine, task: task}, ex.Go(forget)
}

// adopt makes a pair of sockets on the reactor of ex.
func adopt(ex *coop.Executor) (mine, other netio.Conn, err error) {
	r := ex.Driver().(*reactor.Reactor)
	fds, err := newSockets(unix.SOCK_NONBLOCK)
	if err != nil {
		return mine, other, err
	}
	if mine, err = netio.Adopt(r, int32(fds[0])); err != nil {
		return mine, other, errors.Join(err, unix.Close(fds[1]))
	}
	other, err = netio.Adopt(r, int32(fds[1]))
	return mine, other, err
}

func (p *socketPair) Run(n int) error {
	failed, err := coop.BlockOn(p.ex, p.task(&talker{conn: p.mine, begins: true, left: n / 2}))
	return errors.Join(failed, err)
}

// Close closes the sockets with the reactor.
func (p *socketPair) Close() error { return p.ex.Close() }

// goPair is two goroutines that talk over package net.
type goPair struct {
	mine  net.Conn
	ended chan error // of the other one
}

func newSocketGoroutines(option.Values) (Runner, error) {
	fds, err := newSockets(unix.SOCK_NONBLOCK)
	if err != nil {
		return nil, err
	}
	mine, err := newConn(fds[0])
	if err != nil {
		return nil, errors.Join(err, unix.Close(fds[1]))
	}
	other, err := newConn(fds[1])
	if err != nil {
		return nil, errors.Join(err, mine.Close())
	}
	p := &goPair{mine, make(chan error, 1)}
	go func() {
		defer other.Close()
		p.ended <- answerBytes(other)
	}()
	return p, nil
}

// newConn makes a connection of a descriptor, which it closes in any case: package net works on a duplicate.
func newConn(fd int) (net.Conn, error) {
	file := os.NewFile(uintptr(fd), "socket")
	defer file.Close()
	return net.FileConn(file)
}

// answerBytes answers each byte until the other end is closed.
func answerBytes(conn net.Conn) error {
	var b [1]byte
	for {
		if _, err := conn.Read(b[:]); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if _, err := conn.Write(b[:]); err != nil {
			return err
		}
	}
}

func (p *goPair) Run(n int) error {
	var b [1]byte
	for range n / 2 {
		if _, err := p.mine.Write(b[:]); err != nil {
			return err
		}
		if _, err := p.mine.Read(b[:]); err != nil {
			return err
		}
	}
	return nil
}

func (p *goPair) Close() error { return errors.Join(p.mine.Close(), <-p.ended) }

func newSocketThreads(option.Values) (Runner, error) {
	fds, err := newSockets(0)
	if err != nil {
		return nil, err
	}
	return newThreadPair(byteEnd{fds[0], fds[0]}, byteEnd{fds[1], fds[1]}), nil
}

// loopback is one thread at both ends of a pair of sockets.
type loopback struct{ fds [2]int }

func newLoopback(option.Values) (Runner, error) {
	fds, err := newSockets(unix.SOCK_NONBLOCK)
	return &loopback{fds}, err
}

// Run makes the calls raw, as the engines loop and coop do: they never block.
func (l *loopback) Run(n int) error {
	var b [8]byte
	for range n {
		if _, errno := nonblock.Write(l.fds[0], b[:1]); errno != 0 {
			return fmt.Errorf("write a byte: %w", errno)
		}
		if _, errno := nonblock.Read(l.fds[1], b[:]); errno != 0 {
			return fmt.Errorf("read a byte: %w", errno)
		}
	}
	return nil
}

func (l *loopback) Close() error { return errors.Join(unix.Close(l.fds[0]), unix.Close(l.fds[1])) }
