package workloads_test

import (
	"encoding/binary"
	"errors"
	"math"
	"math/bits"
	"testing"
	"time"

	"turnlab/internal/misuse"
	"turnlab/workloads"
	"turnlab/workloads/sessiontest"
)

// playFanout asks a fanout session one request, with upstreams as given, and returns its op and the verdict of the client.
func playFanout(t *testing.T, upstream func(call int, frame []byte) ([]byte, error), settings ...string) (*sessiontest.Player, error) {
	t.Helper()
	server, clients := resolve(t, workloads.Fanout, settings)
	p, c := sessiontest.NewPlayer(server.NewSession()), clients.NewClient(0)
	call := -1
	p.Upstream = func(frame []byte) ([]byte, error) {
		call++
		return upstream(call, frame)
	}
	p.Send(c.Request(nil))
	replies, err := deliver(t, c, p.Out, 5)
	if replies != 1 && err == nil {
		t.Fatalf("%d replies in %d bytes", replies, len(p.Out))
	}
	return p, err
}

func answers(_ int, frame []byte) ([]byte, error) { return askUpstream(frame) }

// answered returns the bits of a fanout reply.
func answered(reply []byte) uint64 { return binary.BigEndian.Uint64(reply[8:]) }

func TestFanoutWaitsForWhatItsModeNeeds(t *testing.T) {
	for _, c := range []struct {
		mode   string
		need   int
		within time.Duration
	}{{"all", 6, 20 * time.Second}, {"first", 1, 20 * time.Second}, {"deadline", 6, 3 * time.Millisecond}} {
		settings := []string{"calls", "6", "mode", c.mode}
		if c.mode == "deadline" {
			settings = append(settings, "within", "3ms")
		}
		p, err := playFanout(t, answers, settings...)
		if err != nil {
			t.Fatal(c.mode, err)
		}
		for _, op := range p.Ops {
			if op.Kind == workloads.Call && (op.Calls.Need != c.need || op.Calls.Within != c.within || len(op.Calls.Requests) != 6) {
				t.Errorf("%s: %d calls, %d needed within %v", c.mode, len(op.Calls.Requests), op.Calls.Need, op.Calls.Within)
			}
		}
		if n := bits.OnesCount64(answered(p.Out)); n != c.need {
			t.Errorf("%s: the reply stands for %d answers", c.mode, n)
		}
	}
}

func TestFanoutTakesTheFirstAnswerWhoeverGivesIt(t *testing.T) {
	p, err := playFanout(t, func(call int, frame []byte) ([]byte, error) {
		if call < 3 {
			return nil, nil
		}
		return askUpstream(frame)
	}, "mode", "first")
	if err != nil || answered(p.Out) != 1<<3 {
		t.Fatalf("answered %b, %v", answered(p.Out), err)
	}
}

func TestFanoutDeadlineTakesWhatCameInTimeEvenNothing(t *testing.T) {
	p, err := playFanout(t, func(call int, frame []byte) ([]byte, error) {
		if call%2 == 0 {
			return nil, nil
		}
		return askUpstream(frame)
	}, "mode", "deadline")
	if err != nil || answered(p.Out) != 0b10101010 {
		t.Fatalf("answered %b, %v", answered(p.Out), err)
	}
	p, err = playFanout(t, func(int, []byte) ([]byte, error) { return nil, nil }, "mode", "deadline")
	if err != nil || answered(p.Out) != 0 {
		t.Fatalf("answered %b, %v", answered(p.Out), err)
	}
}

func TestFanoutClientIsToldOfMissingFailedAndWrongAnswers(t *testing.T) {
	for name, upstream := range map[string]func(int, []byte) ([]byte, error){
		"missing": func(call int, frame []byte) ([]byte, error) {
			if call == 2 {
				return nil, nil
			}
			return askUpstream(frame)
		},
		"failed": func(call int, frame []byte) ([]byte, error) {
			if call == 2 {
				return nil, errors.New("no connection")
			}
			return askUpstream(frame)
		},
		"of another length": func(call int, frame []byte) ([]byte, error) {
			body, err := askUpstream(frame)
			return append(body, 1), err
		},
		"wrong": func(_ int, frame []byte) ([]byte, error) {
			body, err := askUpstream(frame)
			body[0] ^= 1
			return body, err
		},
		"of another call": func() func(int, []byte) ([]byte, error) {
			var first []byte
			return func(call int, frame []byte) ([]byte, error) {
				if call == 0 {
					first = frame
				}
				return askUpstream(first)
			}
		}(),
	} {
		if _, err := playFanout(t, upstream); err == nil {
			t.Errorf("an answer that is %s goes unnoticed", name)
		}
	}
}

func TestFanoutAsksNoUpstreamToWaitTooLong(t *testing.T) {
	for _, settings := range []map[string]string{{"delay": "2s"}, {"delay": "10s", "factor": "1.1"}, {"factor": "1e6"}} {
		for _, w := range []*workloads.Workload{workloads.Fanout, workloads.Upstream} {
			v, err := w.Options.Resolve(settings)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.NewClients(v, 1); !misuse.Is(err) {
				t.Errorf("%s %v: error %v", w.Name, settings, err)
			}
		}
	}
}

func TestFanoutWithinWithoutDeadlineIsTheUsersMistake(t *testing.T) {
	v, err := workloads.Fanout.Options.Resolve(map[string]string{"within": "1ms"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := workloads.Fanout.NewServer(v, workloads.Env{}); !misuse.Is(err) {
		t.Fatalf("error %v", err)
	}
}

func TestUpstreamsAreSlowAsOftenAsAsked(t *testing.T) {
	c := newClient(t, workloads.Upstream, "delay", "2ms", "tail", "10%", "factor", "5")
	p := sessiontest.NewPlayer(newSession(t, workloads.Upstream))
	const requests = 20000
	for range requests {
		p.Send(c.Request(nil))
	}
	counts := map[time.Duration]int{}
	for _, op := range p.Ops {
		if op.Kind == workloads.Sleep {
			counts[op.Wait]++
		}
	}
	slow := float64(counts[10*time.Millisecond]) / requests
	if counts[2*time.Millisecond]+counts[10*time.Millisecond] != requests || math.Abs(slow-0.1) > 0.011 { // five standard errors
		t.Fatalf("waits %v", counts)
	}
}

func TestUpstreamRefusesOddFramesAndLongWaits(t *testing.T) {
	server, _ := resolve(t, workloads.Upstream, nil)
	for _, in := range []string{
		"\x00\x00\x00\x01x", "\xff\xff\xff\xff", "\x00\x00\x80\x01", "\x00\x00\x00\x10\x00\x00\x00\x02\x54\x0b\xe4\x01abcdefgh",
	} {
		if got := play(server, false, []byte(in)); got.out != "" || !got.closed || !got.linger {
			t.Errorf("%x: %v", in, got)
		}
	}
	if got := play(server, false, []byte("\x00\x00\x00\x10\x00\x00\x00\x02\x54\x0b\xe4\x00abcdefgh")); len(got.out) != 12 || got.closed {
		t.Errorf("the longest wait it takes: %v", got)
	}
}

func TestFramesComeBackAsTheyWere(t *testing.T) {
	for _, size := range []int{0, 1, 500, workloads.FrameMax} {
		frame := workloads.AppendFrame([]byte("before"), make([]byte, size))[len("before"):]
		for _, cut := range []int{0, 3, len(frame) - 1} {
			if cut < len(frame) {
				if _, n, err := workloads.CutFrame(frame[:cut]); n != 0 || err != nil {
					t.Errorf("%d of %d bytes: %d, %v", cut, len(frame), n, err)
				}
			}
		}
		body, n, err := workloads.CutFrame(append(frame, "next"...))
		if n != len(frame) || len(body) != size || err != nil {
			t.Errorf("size %d: %d bytes of body, %d of frame, %v", size, len(body), n, err)
		}
	}
	if _, n, err := workloads.CutFrame([]byte{0, 0, 0x80, 1}); n != 0 || err == nil {
		t.Errorf("a frame above the bound: %d, %v", n, err)
	}
}
