package sim

import (
	"syscall"

	"golang.org/x/sys/unix"

	"turnlab/coop/reactor"
)

// file is what a descriptor stands for: an end of a stream, or a listening socket.
type file struct {
	token     uint64 // 0 until it is registered
	announced bool
	closed    bool

	queue *[]*file // of a listening socket: connections that nobody has accepted yet

	in         *pipe // what comes in; nil while the attempt to connect lasts
	out        *pipe
	connecting bool
	failure    syscall.Errno // how the attempt has failed
	reset      bool          // by the peer
	told       bool          // a call has reported the reset
}

// pipe is one direction of a stream.
type pipe struct {
	reader, writer *file
	data           []byte // arrived and not read
	capacity       int
	travelling     int
	ended          bool // everything has arrived, and no more will come
	closing        bool // nothing more is sent
	full           bool // the writer has been told so, and waits for an edge
	last           int64
}

func (p *pipe) room() int { return p.capacity - len(p.data) - p.travelling }

// flags is the state of f as epoll reports it.
func (f *file) flags() (flags reactor.Flags) {
	switch {
	case f.queue != nil:
		if len(*f.queue) > 0 {
			flags = reactor.In
		}
		return flags
	case f.failure != 0 || f.reset:
		return reactor.In | reactor.Out | reactor.RdHup | reactor.Hup | reactor.Err
	case f.in == nil:
		return 0
	}
	if len(f.in.data) > 0 || f.in.ended {
		flags |= reactor.In
	}
	if f.in.ended {
		flags |= reactor.RdHup
	}
	if f.in.ended && f.out.closing {
		flags |= reactor.Hup
	}
	if f.out.room() > 0 {
		flags |= reactor.Out
	}
	return flags
}

// Listen opens a listening socket. Its descriptor is also its address for Connect.
func (s *System) Listen() int32 { return s.number(&file{queue: &[]*file{}}) }

// Address returns the address of a listening socket.
func Address(listener int32) unix.Sockaddr { return &unix.SockaddrInet4{Port: int(listener)} }

// Connect implements reactor.System.
func (s *System) Connect(to unix.Sockaddr) (int32, syscall.Errno) {
	f := &file{connecting: true}
	fd := s.number(f)
	s.call(4, fd)
	s.after(travelNS, 0, func() { s.connected(f, port(to)) })
	return fd, 0
}

// connected ends an attempt to connect.
func (s *System) connected(f *file, port int) {
	if f.closed {
		return
	}
	f.connecting = false
	var l *file
	if port < len(s.files) {
		l = s.files[port]
	}
	if l == nil || l.queue == nil || s.happens(s.chances.Refuse) {
		f.failure = syscall.ECONNREFUSED
		s.edge(f)
		return
	}
	peer := &file{}
	f.in, f.out = s.pipe(peer, f), s.pipe(f, peer)
	peer.in, peer.out = f.out, f.in
	*l.queue = append(*l.queue, peer)
	s.edge(l)
	s.edge(f)
}

func (s *System) pipe(from, to *file) *pipe {
	return &pipe{writer: from, reader: to, capacity: 1 + s.random.IntN(1<<s.random.IntN(14))}
}

// ConnectError implements reactor.System.
func (s *System) ConnectError(fd int32) syscall.Errno {
	s.call(5, fd)
	f := s.get(fd)
	if f.connecting {
		s.Fail("somebody asks how an attempt has ended that lasts")
	}
	return f.failure
}

// Accept implements reactor.System.
func (s *System) Accept(fd int32) (int32, syscall.Errno) {
	s.call(6, fd)
	l := s.get(fd)
	switch {
	case s.happens(s.chances.Interrupt):
		return -1, syscall.EINTR
	case len(*l.queue) == 0:
		return -1, syscall.EAGAIN
	}
	f := (*l.queue)[0]
	*l.queue = (*l.queue)[1:]
	if f.reset {
		return -1, syscall.ECONNABORTED
	}
	s.Ops++
	return s.number(f), 0
}

// Read implements reactor.System.
func (s *System) Read(fd int32, p []byte) (int, syscall.Errno) {
	s.call(7, fd)
	f := s.get(fd)
	switch {
	case s.happens(s.chances.Interrupt):
		return -1, syscall.EINTR
	case f.reset && !f.told:
		f.told = true
		s.Ops++
		return -1, syscall.ECONNRESET
	case f.reset:
		s.Ops++
		return 0, 0
	}
	in := f.in
	n := copy(p, in.data)
	in.data = in.data[n:]
	if n == 0 && !in.ended {
		return -1, syscall.EAGAIN
	}
	if n > 0 && in.full {
		s.free(in)
	}
	s.Ops++
	return n, 0
}

// free tells a writer, some time later, that there is room again.
func (s *System) free(p *pipe) {
	s.after(travelNS, 0, func() {
		if p.full && p.room() > 0 {
			p.full = false
			s.edge(p.writer)
		}
	})
}

// Write implements reactor.System.
func (s *System) Write(fd int32, p []byte) (int, syscall.Errno) {
	s.call(8, fd)
	f := s.get(fd)
	out := f.out
	switch {
	case s.happens(s.chances.Interrupt):
		return -1, syscall.EINTR
	case f.reset || out.closing:
		f.told = true
		s.Ops++
		return -1, syscall.EPIPE
	case out.room() <= 0:
		out.full = true
		return -1, syscall.EAGAIN
	}
	n := min(len(p), 1+s.random.IntN(out.room()))
	if n < len(p) {
		out.full = true
		s.free(out) // there may be room already, which then nobody else would announce
	}
	s.send(out, p[:n])
	s.Ops++
	return n, 0
}

// send has bytes travel, in pieces that keep their order.
func (s *System) send(p *pipe, data []byte) {
	data = append([]byte(nil), data...)
	for piece := 0; len(data) > 0; piece++ {
		n := len(data)
		if piece < piecesMax-1 {
			n = 1 + s.random.IntN(n)
		}
		part := data[:n]
		data = data[n:]
		p.travelling += n
		lost := s.happens(s.chances.Reset)
		p.last = s.after(travelNS, p.last, func() { s.receive(p, part, lost) })
	}
}

// receive is the arrival of a piece. If the receiver has gone, its system answers with a reset.
func (s *System) receive(p *pipe, part []byte, lost bool) {
	p.travelling -= len(part)
	if lost || p.reader.closed {
		s.cut(p.writer)
		s.cut(p.reader)
		return
	}
	p.data = append(p.data, part...)
	s.edge(p.reader)
}

// cut resets an end of a connection.
func (s *System) cut(f *file) {
	if f.closed || f.reset {
		return
	}
	f.reset = true
	s.edge(f)
}

// CloseWrite implements reactor.System.
func (s *System) CloseWrite(fd int32) syscall.Errno {
	s.call(9, fd)
	f := s.get(fd)
	if f.reset {
		return syscall.ENOTCONN
	}
	s.finish(f.out)
	return 0
}

// finish sends the end after everything else.
func (s *System) finish(p *pipe) {
	if p.closing {
		return
	}
	p.closing = true
	p.last = s.after(travelNS, p.last, func() {
		p.ended = true
		s.edge(p.reader)
	})
}

// end closes what a descriptor stood for. Data that nobody has read makes it a reset.
func (s *System) end(f *file) {
	f.closed = true
	if f.queue != nil {
		for _, waiting := range *f.queue {
			s.end(waiting)
		}
		return
	}
	if f.in == nil {
		return
	}
	if len(f.in.data) > 0 {
		peer := f.in.writer
		f.out.last = s.after(travelNS, f.out.last, func() { s.cut(peer) })
		return
	}
	s.finish(f.out)
}
