package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"turnlab/harness/control"
	"turnlab/internal/misuse"
)

// Reasons for which the harness ends a server.
var (
	errStop = errors.New("stopped by the harness")
	errGone = errors.New("the harness closed the control stream")
)

// Main is the server child: it talks with the harness over in and out (see package control) and returns the exit code.
// It ends when it is told to stop, when in ends, or when the engine cannot go on.
func Main(in io.Reader, out io.Writer) int {
	c := &child{out: json.NewEncoder(out), requests: make(chan control.Request), ended: make(chan error, 1)}
	go c.listen(json.NewDecoder(in))
	return c.exit(c.converse())
}

// child is the harness's end of a server.
type child struct {
	out      *json.Encoder
	requests chan control.Request
	ended    chan error // why there will be no more requests
}

// listen reads requests until their end.
func (c *child) listen(in *json.Decoder) {
	for {
		var r control.Request
		if err := in.Decode(&r); errors.Is(err, io.EOF) {
			c.ended <- errGone
			return
		} else if err != nil {
			c.ended <- fmt.Errorf("read the control stream: %w", err)
			return
		}
		c.requests <- r
	}
}

// converse goes through the conversation and returns why it ended.
func (c *child) converse() error {
	var sv *service
	select {
	case err := <-c.ended:
		return err
	case r := <-c.requests:
		if r.Do == control.Stop {
			return errStop
		}
		if r.Do != control.Start || r.Server == nil {
			return unexpected(r)
		}
		var err error
		if sv, err = open(*r.Server); err != nil {
			return err
		}
	}
	sv.start()
	pids, err := sv.pids()
	if err != nil {
		return err
	}
	c.say(control.Event{Is: control.Ready, Address: sv.listener.Address, Options: sv.resolved, PIDs: pids})
	return c.serve(sv)
}

// serve answers requests until the last one.
func (c *child) serve(sv *service) error {
	for {
		select {
		case err := <-sv.done:
			return fmt.Errorf("the engine ended by itself: %v", err)
		case err := <-c.ended:
			_ = sv.stop() // the harness that would want to know is gone
			return err
		case r := <-c.requests:
			switch r.Do {
			case control.Sample:
				if err := c.sample(sv, r.Memory); err != nil {
					return errors.Join(err, sv.stop())
				}
			case control.Trace:
				if err := c.trace(sv); err != nil {
					return errors.Join(err, sv.stop())
				}
			case control.Stop:
				if err := sv.leave(); err != nil {
					return err
				}
				return errStop
			default:
				return errors.Join(unexpected(r), sv.stop())
			}
		}
	}
}

func (c *child) sample(sv *service, memory bool) error {
	u, err := sv.sample(memory)
	if err == nil {
		c.say(control.Event{Is: control.Sampled, Usage: &u})
	}
	return err
}

// trace tells what the tracer has seen. It has seen it when it is asked: tracing ends here.
func (c *child) trace(sv *service) error {
	if sv.tracer == nil {
		return errors.New("the harness asked for a trace of a server that it did not have traced")
	}
	raw, err := sv.tracer.Collect()
	if err != nil {
		return err
	}
	text, err := json.Marshal(raw)
	if err != nil {
		return fmt.Errorf("encode the trace: %w", err)
	}
	c.say(control.Event{Is: control.Traced, Trace: text})
	return nil
}

func unexpected(r control.Request) error {
	return fmt.Errorf("the harness asked for %q, which a server cannot do now", r.Do)
}

// say writes an event. One that cannot be written needs no error of its own: a harness that does not read any more has
// closed the other stream as well.
func (c *child) say(e control.Event) { _ = c.out.Encode(e) }

// exit says the last word and returns the exit code.
func (c *child) exit(err error) int {
	switch {
	case err == errGone:
		return 1
	case misuse.Is(err):
		c.say(control.Event{Is: control.Failed, Error: err.Error(), Misuse: true})
		return 2
	case err == errStop:
		c.say(control.Event{Is: control.Stopped})
		return 0
	}
	c.say(control.Event{Is: control.Failed, Error: err.Error()})
	return 1
}

// Foreground serves without a harness until ctx ends. When clients may connect it writes the address, on a line of its
// own, to log.
func Foreground(ctx context.Context, s control.Server, log io.Writer) error {
	spec, err := findEngine(s)
	if err != nil {
		return err
	}
	if len(missingEnviron(spec)) > 0 {
		return startAnew(spec)
	}
	sv, err := open(s)
	if err != nil {
		return err
	}
	sv.start()
	fmt.Fprintln(log, sv.listener.Address)
	select {
	case err := <-sv.done:
		return err
	case <-ctx.Done():
		return sv.stop()
	}
}
