package workloads_test

import (
	"bytes"
	"math"
	"slices"
	"testing"
	"time"

	"turnlab/internal/misuse"
	"turnlab/workloads"
	"turnlab/workloads/sessiontest"
)

var (
	innocent = []byte("I1234567")
	hog      = []byte("H7654321")
)

func TestHogBurnsForHogsOnlyAndAnswersBoth(t *testing.T) {
	out, _, ops := sessiontest.Play(newSession(t, workloads.Hog, "burst", "5ms", "unit", "2us"), innocent, hog, innocent)
	if want := string(innocent) + string(hog) + string(innocent); string(out) != want {
		t.Fatalf("got %q, want %q", out, want)
	}
	var units []int64
	for _, op := range ops {
		if op.Kind == workloads.Burn {
			units = append(units, op.Units)
		}
	}
	if len(units) != 1 || units[0] != 2500 {
		t.Fatalf("burnt %v, want 2500 units once", units)
	}
}

// Burn is the one op that does not send what is in Out: replies that are ready must not wait for a hog behind them.
func TestHogSendsEarlierRepliesBeforeItBurns(t *testing.T) {
	s := newSession(t, workloads.Hog)
	x := workloads.Exchange{In: bytes.Join([][]byte{innocent, hog, innocent}, nil)}
	var seen []workloads.Kind
	for {
		op := s.Step(&x)
		seen = append(seen, op.Kind)
		if op.Kind == workloads.Burn && len(x.Out) > 0 {
			t.Fatalf("%q waits for the hog", x.Out)
		}
		if op.Kind != workloads.Burn {
			x.Out = x.Out[:0]
		}
		if op.Kind == workloads.Read {
			break
		}
	}
	if len(seen) != 3 || seen[0] != workloads.Flush || seen[1] != workloads.Burn {
		t.Fatalf("ops %v", seen)
	}
}

func TestHogAnswersATimerAfterItsWait(t *testing.T) {
	timer := []byte("T7777777")
	out, _, ops := sessiontest.Play(newSession(t, workloads.Hog, "timers", "1%"), innocent, timer, innocent)
	if want := string(innocent) + string(timer) + string(innocent); string(out) != want {
		t.Fatalf("got %q, want %q", out, want)
	}
	sleeps := slices.DeleteFunc(ops, func(op workloads.Op) bool { return op.Kind != workloads.Sleep })
	if len(sleeps) != 1 || sleeps[0].Wait != workloads.TimerWait {
		t.Fatalf("slept %v, want %v once", sleeps, workloads.TimerWait)
	}
}

func TestHogSplitsDoNotMatter(t *testing.T) {
	server, _ := resolve(t, workloads.Hog, []string{"timers", "1%"})
	in := bytes.Join([][]byte{innocent, hog, hog, []byte("T1234567"), innocent, []byte("X")}, nil)
	whole := play(server, true, in)
	for n := 1; n < len(in); n++ {
		if got := play(server, true, chop(in, n)...); got != whole {
			t.Fatalf("%d bytes at a time: %v, whole: %v", n, got, whole)
		}
	}
}

func TestHogClosesOnAnUnknownLetter(t *testing.T) {
	server, _ := resolve(t, workloads.Hog, nil)
	for _, unknown := range []string{"X1234567", "T1234567"} { // without timers in its options it has none
		got := play(server, false, innocent, []byte(unknown))
		if got.out != string(innocent) || !got.closed || !got.linger {
			t.Fatal(got)
		}
	}
}

func TestHogClientSendsTheShareItWasAskedFor(t *testing.T) {
	for _, c := range []struct {
		share  string
		want   float64
		margin float64 // five standard errors
	}{{"0", 0, 0}, {"1%", 0.01, 0.0016}, {"30%", 0.3, 0.0073}, {"1", 1, 0}} {
		client := newClient(t, workloads.Hog, "share", c.share)
		const requests = 100000
		hogs := 0
		for range requests {
			if client.Request(nil)[0] == 'H' {
				hogs++
			}
		}
		if got := float64(hogs) / requests; math.Abs(got-c.want) > c.margin {
			t.Errorf("share %s: got %v", c.share, got)
		}
	}
}

func TestHogClientSendsTheShareOfTimersItWasAskedFor(t *testing.T) {
	client := newClient(t, workloads.Hog, "share", "20%", "timers", "30%")
	const requests = 100000
	counts := map[byte]float64{}
	for range requests {
		counts[client.Request(nil)[0]]++
	}
	for letter, want := range map[byte]float64{'H': 0.2, 'T': 0.3, 'I': 0.5} {
		if got := counts[letter] / requests; math.Abs(got-want) > 0.008 { // five standard errors
			t.Errorf("%c: got %v", letter, got)
		}
	}
}

// A reply's class must say whether the protocol itself made it wait for a hog or a timer.
func TestHogClientTellsInnocentsFromThoseBehindOthers(t *testing.T) {
	tellsApart(t, []string{"innocent", "hog", "behind"}, "share", "50%")
	tellsApart(t, []string{"innocent", "hog", "behind", "timer"}, "share", "20%", "timers", "30%")
}

func tellsApart(t *testing.T, classes []string, settings ...string) {
	t.Helper()
	c := newClient(t, workloads.Hog, settings...)
	classed := c.(workloads.Classed)
	const depth = 4
	var queue [][]byte
	behind := map[string]bool{} // requests sent while a hog or a timer was among those without a reply
	send := func() {
		r := c.Request(nil)
		for _, q := range queue {
			if q[0] != 'I' {
				behind[string(r)] = true
			}
		}
		queue = append(queue, r)
	}
	counts := map[string]int{}
	for i := range 2000 {
		for len(queue) < 1+i%depth {
			send()
		}
		r := queue[0]
		queue = queue[1:]
		if n, done, err := c.Reply(r); n != len(r) || !done || err != nil {
			t.Fatal(n, done, err)
		}
		want := map[byte]string{'I': "innocent", 'T': "timer", 'H': "hog"}[r[0]]
		if r[0] != 'H' && behind[string(r)] {
			want = "behind"
		}
		got := workloads.Hog.Classes[classed.Class()]
		if got != want {
			t.Fatalf("request %d: class %s, want %s", i, got, want)
		}
		counts[got]++
	}
	if len(counts) != len(classes) {
		t.Fatalf("the test met only %v of %v", counts, classes)
	}
}

func TestHogBurstBelowOneUnitIsTheUsersMistake(t *testing.T) {
	v, err := workloads.Hog.Options.Resolve(map[string]string{"burst": "1us", "unit": "2us"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := workloads.Hog.NewClients(v, 1); !misuse.Is(err) {
		t.Fatalf("error %v", err)
	}
}

func TestHogSharesAboveOneAreTheUsersMistake(t *testing.T) {
	v, err := workloads.Hog.Options.Resolve(map[string]string{"share": "60%", "timers": "50%"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := workloads.Hog.NewClients(v, 1); !misuse.Is(err) {
		t.Fatalf("error %v", err)
	}
}

func TestWorkloadsWithClassesHaveClassedClients(t *testing.T) {
	for _, w := range workloads.All {
		_, classed := newClient(t, w).(workloads.Classed)
		if classed != (len(w.Classes) > 0) {
			t.Errorf("%s: classes %v, classed clients: %v", w.Name, w.Classes, classed)
		}
	}
}

func TestCalibrateTakesTheFastestMeasurement(t *testing.T) {
	// A clock under which the third measurement takes 1000 units of 700 ns and all others twice that.
	var now time.Duration
	reads := 0
	clock := func() time.Duration {
		reads++
		if reads%2 == 0 {
			now += 1400 * time.Microsecond
			if reads == 6 {
				now -= 700 * time.Microsecond
			}
		}
		return now
	}
	if got := workloads.Calibrate(clock); got != 700*time.Nanosecond {
		t.Fatalf("a unit takes %v", got)
	}
}

func TestMoreUnitsAreMoreWork(t *testing.T) {
	start := time.Now()
	took := func(units int64) time.Duration {
		before := time.Since(start)
		workloads.Work(units)
		return time.Since(start) - before
	}
	few, many := time.Hour, time.Duration(0)
	for range 20 {
		few = min(few, took(10))
	}
	many = took(2000) // 200 times as much; a disturbed machine makes it longer still
	if many < 20*few {
		t.Fatalf("10 units took %v, 2000 took %v", few, many)
	}
}

func TestSleepWaitsAsLongAsTheRequestSays(t *testing.T) {
	settings := []string{"delay", "2ms", "spread", "3ms"}
	c := newClient(t, workloads.Sleeper, settings...)
	s := newSession(t, workloads.Sleeper, settings...)
	p := sessiontest.NewPlayer(s)
	const requests = 2000
	for range requests {
		p.Send(c.Request(nil))
	}
	var waits int
	least, most, sum := time.Hour, time.Duration(0), time.Duration(0)
	for _, op := range p.Ops {
		if op.Kind == workloads.Sleep {
			waits++
			least, most, sum = min(least, op.Wait), max(most, op.Wait), sum+op.Wait
		}
	}
	if waits != requests || least < 2*time.Millisecond || most > 5*time.Millisecond {
		t.Fatalf("%d waits from %v to %v", waits, least, most)
	}
	// The mean of 2000 even draws of 0 to 3 ms has a standard error of 0.02 ms.
	if mean := sum / requests; mean < 3400*time.Microsecond || mean > 3600*time.Microsecond {
		t.Fatalf("the mean wait is %v, want 3.5ms", mean)
	}
	if replies, err := deliver(t, c, p.Out, 3); replies != requests || err != nil {
		t.Fatal(replies, err)
	}
}

func TestSleepWithoutSpreadWaitsTheSameForAll(t *testing.T) {
	c := newClient(t, workloads.Sleeper)
	_, _, ops := sessiontest.Play(newSession(t, workloads.Sleeper), c.Request(c.Request(nil)))
	for _, op := range ops {
		if op.Kind == workloads.Sleep && op.Wait != 10*time.Millisecond {
			t.Fatalf("waits %v", op.Wait)
		}
	}
}

func TestSleepRefusesWaitsAboveItsOwn(t *testing.T) {
	server, _ := resolve(t, workloads.Sleeper, nil)
	for _, wait := range []string{"\x00\x00\x00\x00\x00\x98\x96\x81", "\xff\xff\xff\xff\xff\xff\xff\xff"} {
		if got := play(server, false, []byte(wait+"12345678")); got.out != "" || !got.closed || !got.linger {
			t.Errorf("%x: %v", wait, got)
		}
	}
	if got := play(server, false, []byte("\x00\x00\x00\x00\x00\x98\x96\x8012345678")); got.out != "12345678" || got.closed {
		t.Errorf("the longest wait it takes: %v", got)
	}
}

func TestFrameClientsNameTheWrongByte(t *testing.T) {
	for _, w := range []*workloads.Workload{workloads.Hog, workloads.Sleeper} {
		for _, n := range []int{1, 3, 100} {
			c := newClient(t, w)
			out, _, _ := sessiontest.Play(newSession(t, w), c.Request(nil), c.Request(nil))
			out[13] ^= 1
			replies, err := deliver(t, c, out, n)
			if replies != 1 || err == nil || !bytes.HasPrefix([]byte(err.Error()), []byte("byte 5 of the reply is wrong")) {
				t.Errorf("%s, %d bytes at a time: %d replies, %v", w.Name, n, replies, err)
			}
		}
	}
}

func FuzzFrameSessions(f *testing.F) {
	f.Add([]byte("I1234567H1234567"), uint8(3), true)
	f.Add([]byte("\x00\x00\x00\x00\x00\x98\x96\x8012345678"), uint8(7), false)
	f.Fuzz(func(t *testing.T, in []byte, n uint8, end bool) {
		for _, w := range []*workloads.Workload{workloads.Hog, workloads.Sleeper} {
			server, _ := resolve(t, w, nil)
			whole, split := play(server, end, in), play(server, end, chop(in, int(n)+1)...)
			if whole.out != split.out || whole.closed != split.closed {
				t.Fatalf("%s: whole %v, split %v", w.Name, whole, split)
			}
		}
	})
}

func FuzzFrameClients(f *testing.F) {
	f.Add([]byte("I1234567H1234567"), uint8(3))
	f.Fuzz(func(t *testing.T, reply []byte, n uint8) {
		for _, w := range []*workloads.Workload{workloads.Hog, workloads.Sleeper} {
			c := newClient(t, w)
			c.Request(nil)
			if replies, err := deliver(t, c, reply, int(n)+1); replies > 0 && err == nil && len(reply) != 8 {
				t.Fatalf("%s took %q", w.Name, reply)
			}
		}
	})
}

func BenchmarkHogClient(b *testing.B) { benchmarkClient(b, workloads.Hog, nil) }

func BenchmarkHogStep(b *testing.B) {
	s := newSession(b, workloads.Hog)
	var x workloads.Exchange
	b.ReportAllocs()
	for b.Loop() {
		x.In, x.Out = innocent, x.Out[:0]
		if s.Step(&x).Kind != workloads.Read {
			b.Fatal("an innocent is not answered at once")
		}
	}
}

func BenchmarkWork(b *testing.B) {
	for b.Loop() {
		workloads.Work(1)
	}
}
