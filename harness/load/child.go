package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"turnlab/harness/control"
	"turnlab/internal/misuse"
)

// Reasons for which the harness ends a child.
var (
	errStop = errors.New("stopped by the harness")
	errGone = errors.New("the harness closed the control stream")
)

// Main is the generator child: it talks with the harness over in and out (see package control) and returns the exit code.
// One child makes one load. It ends when it is told to stop, or when in ends, whatever it is doing then.
func Main(in io.Reader, out io.Writer) int {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	c := &child{ctx: ctx, out: json.NewEncoder(out), start: make(chan control.Load, 1), begin: make(chan int64, 1)}
	go func() { cancel(c.listen(json.NewDecoder(in))) }()
	select {
	case l := <-c.start:
		return c.exit(c.load(l))
	case <-ctx.Done():
		return c.exit(context.Cause(ctx))
	}
}

// child is the harness's end of a load.
type child struct {
	ctx   context.Context // ends with errStop, errGone, or the reason for which nothing more can be understood
	out   *json.Encoder
	start chan control.Load // room for one, as the conversation has one
	begin chan int64        // likewise: when the load begins
	at    int64             // what came of it
}

// listen reads requests until stop, the end, or one that makes no sense, and returns which.
func (c *child) listen(in *json.Decoder) error {
	var started, begun bool
	for {
		var r control.Request
		if err := in.Decode(&r); errors.Is(err, io.EOF) {
			return errGone
		} else if err != nil {
			return fmt.Errorf("read the control stream: %w", err)
		}
		switch {
		case r.Do == control.Stop:
			return errStop
		case r.Do == control.Start && r.Load != nil && !started:
			started = true
			c.start <- *r.Load
		case r.Do == control.Go && started && !begun:
			begun = true
			c.begin <- r.StartNS
		default:
			return fmt.Errorf("the harness asked for %q, which a generator cannot do now", r.Do)
		}
	}
}

// load makes the load and tells the harness how far it is. Events that cannot be written need no error of their own: a
// harness that does not read them any more has closed the other stream as well.
func (c *child) load(l control.Load) error {
	_, err := Run(c.ctx, l, Hooks{
		Ready: func() error {
			c.say(control.Event{Is: control.Ready})
			select {
			case c.at = <-c.begin:
				return nil
			case <-c.ctx.Done():
				return context.Cause(c.ctx)
			}
		},
		Start:     func() int64 { return c.at },
		Measuring: func(u control.Usage) { c.say(control.Event{Is: control.Measuring, Usage: &u}) },
		Measured:  func(u control.Usage) { c.say(control.Event{Is: control.Measured, Usage: &u}) },
		Drained: func(r control.LoadResult) {
			c.say(control.Event{Is: control.Result, Result: &r})
			<-c.ctx.Done() // the harness may still want to look at the server while it has its connections
		},
	})
	if err == nil {
		err = context.Cause(c.ctx)
	}
	return err
}

func (c *child) say(e control.Event) { _ = c.out.Encode(e) }

// exit says the last word and returns the exit code.
func (c *child) exit(err error) int {
	switch {
	case errors.Is(err, errStop):
		c.say(control.Event{Is: control.Stopped})
		return 0
	case errors.Is(err, errGone):
		return 1
	case misuse.Is(err):
		c.say(control.Event{Is: control.Failed, Error: err.Error(), Misuse: true})
		return 2
	}
	c.say(control.Event{Is: control.Failed, Error: err.Error()})
	return 1
}
