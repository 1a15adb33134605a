package micro

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"turnlab/harness/control"
	"turnlab/internal/misuse"
)

// errGone ends a child whose harness is gone.
var errGone = errors.New("the harness closed the control stream")

// Main is the micro child: it talks with the harness over in and out (see package control), does one operation for some time
// and returns the exit code. It ends when it is told to stop or when in ends, also in the middle of an operation that hangs.
func Main(in io.Reader, out io.Writer) int {
	c := &child{out: json.NewEncoder(out), requests: make(chan control.Request), ended: make(chan error, 1)}
	go c.listen(json.NewDecoder(in))
	return c.exit(c.converse())
}

// child is the harness's end of a measurement.
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

// await waits for a request, or for done, which may be nil.
func (c *child) await(do string, done <-chan error) (control.Request, error) {
	select {
	case err := <-done:
		return control.Request{}, err
	case err := <-c.ended:
		return control.Request{}, err
	case r := <-c.requests:
		if r.Do != do {
			return r, fmt.Errorf("the harness asked for %q where %q was due", r.Do, do)
		}
		return r, nil
	}
}

// converse goes through the conversation.
func (c *child) converse() error {
	r, err := c.await(control.Start, nil)
	if err != nil {
		return err
	}
	if r.Micro == nil {
		return errors.New("the harness asked for a start and did not say of what")
	}
	w := &work{ask: *r.Micro, say: c.say, start: make(chan struct{}), made: make(chan error, 1), done: make(chan error, 1)}
	go w.run()
	if err := c.either(w.made); err != nil {
		return err
	}
	c.say(control.Event{Is: control.Ready})
	if _, err := c.await(control.Go, w.done); err != nil {
		return err
	}
	close(w.start)
	if err := c.either(w.done); err != nil {
		return err
	}
	c.say(control.Event{Is: control.Result, Micro: w.result})
	_, err = c.await(control.Stop, nil)
	return err
}

// either waits for the work, or for the harness to go away.
func (c *child) either(work <-chan error) error {
	select {
	case err := <-work:
		return err
	case err := <-c.ended:
		return err
	case r := <-c.requests:
		return fmt.Errorf("the harness asked for %q in the middle of the work", r.Do)
	}
}

// say writes an event. One that cannot be written needs no error of its own: a harness that does not read any more has
// closed the other stream as well.
func (c *child) say(e control.Event) { _ = c.out.Encode(e) }

// exit says the last word and returns the exit code.
func (c *child) exit(err error) int {
	switch {
	case err == errGone:
		return 1
	case err == nil:
		c.say(control.Event{Is: control.Stopped})
		return 0
	case misuse.Is(err):
		c.say(control.Event{Is: control.Failed, Error: err.Error(), Misuse: true})
		return 2
	}
	c.say(control.Event{Is: control.Failed, Error: err.Error()})
	return 1
}

// work is the goroutine on which everything is done, so that the conversation can go on if it hangs. While it runs nobody
// else writes events.
type work struct {
	ask   control.Micro
	say   func(control.Event)
	start chan struct{}
	made  chan error
	done  chan error // then result is there

	result *control.MicroResult
}

func (w *work) run() {
	j, err := open(w.ask)
	w.made <- err
	if err != nil {
		return
	}
	<-w.start
	w.done <- w.measure(j)
}

func (w *work) measure(j *job) error {
	if err := j.warmUp(); err != nil {
		return err
	}
	w.say(control.Event{Is: control.Measuring})
	result, err := j.measure()
	if err != nil {
		return err
	}
	w.say(control.Event{Is: control.Measured})
	if err := j.rest(result); err != nil {
		return err
	}
	w.result = result
	if j.op.Holds {
		return nil // a million tasks end faster with the process
	}
	return j.runner.Close()
}
