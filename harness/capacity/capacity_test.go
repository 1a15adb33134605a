package capacity

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"turnlab/harness/record"
	"turnlab/internal/misuse"
)

var p99 = Goal{LossRatio: 0.01, Trials: DefaultTrials, ExceedRatio: DefaultExceedRatio, Width: 0.05}

func TestALoadIsDecidedByAMajorityAndNoSooner(t *testing.T) {
	for _, c := range []struct {
		good, bad int
		want      Class
	}{
		{0, 0, Undecided}, {1, 0, Undecided}, {0, 1, Undecided}, {1, 1, Undecided},
		{2, 0, Lower}, {2, 1, Lower}, {0, 2, Upper}, {1, 2, Upper}, {3, 0, Lower}, {0, 3, Upper},
		{2, 2, Lower}, {2, 3, Upper}, {4, 1, Lower},
	} {
		if got := p99.Classify(c.good, c.bad); got != c.want {
			t.Errorf("%d good, %d bad: %v, want %v", c.good, c.bad, got, c.want)
		}
	}
}

func TestTheStrictestGoalAllowsNoBadTrial(t *testing.T) {
	g := Goal{Trials: 1, ExceedRatio: 0}
	if g.Classify(1, 0) != Lower || g.Classify(0, 1) != Upper || g.Classify(9, 1) != Upper {
		t.Error("one bad trial must be enough")
	}
}

// queue is a server with one queue and exponential service (M/M/1) whose speed differs a little from trial to trial. A
// request waits longer than limit with chance exp(-(speed-rate)·limit), so its capacity is known.
type queue struct {
	speed, limit, noise, seconds float64
	r                            *rand.Rand
}

func (q queue) capacity() float64 { return q.speed + math.Log(p99.LossRatio)/q.limit }

func (q queue) loss(rate float64) float64 {
	speed := q.speed * (1 + q.noise*q.r.NormFloat64())
	p := 1.0
	if rate < speed {
		p = math.Exp(-(speed - rate) * q.limit)
	}
	n := rate * q.seconds
	return math.Min(1, math.Max(0, p+math.Sqrt(p*(1-p)/n)*q.r.NormFloat64()))
}

func TestTheBoundsHoldAKnownCapacity(t *testing.T) {
	held, wide, most := 0, 0, 0
	const seeds = 1000
	for seed := range uint64(seeds) {
		r := rand.New(rand.NewPCG(seed, 1))
		q := queue{speed: 5e3 * math.Exp(3*r.Float64()), limit: 0.005, noise: 0.002, seconds: 2, r: r}
		s := NewSearch(p99, q.speed*(0.5+r.Float64()), 10, 1e8)
		for rate, ok := s.Next(); ok; rate, ok = s.Next() {
			s.Add(rate, Probe{Loss: q.loss(rate)})
		}
		res := s.Result()
		if res.Lower <= q.capacity() && q.capacity() <= res.Upper {
			held++
		}
		if res.Irregular != "" || res.Upper/res.Lower-1 > p99.Width {
			wide++
		}
		most = max(most, res.Probes)
	}
	if held < seeds*95/100 || wide > 0 || most > 40 {
		t.Errorf("held in %d of %d, wider than asked %d, at most %d probes", held, seeds, wide, most)
	}
}

// Neighbours spoil one trial in eight, which is then made once more, as a hunt does it. What is still spoilt counts.
func TestTheBoundsHoldAKnownCapacityAmongNeighbours(t *testing.T) {
	const seeds, spoilt = 1000, 1.0 / 8
	held, sure, unsure, disturbed := 0, 0, 0, 0
	for seed := range uint64(seeds) {
		r := rand.New(rand.NewPCG(seed, 2))
		q := queue{speed: 5e3 * math.Exp(3*r.Float64()), limit: 0.005, noise: 0.002, seconds: 2, r: r}
		s := NewSearch(p99, q.speed*(0.5+r.Float64()), 10, 1e8)
		for rate, ok := s.Next(); ok; rate, ok = s.Next() {
			p := Probe{Loss: q.loss(rate)}
			if r.Float64() < spoilt*spoilt { // twice in a row
				p = Probe{Loss: math.Min(1, p.Loss+r.Float64()), Disturbed: true}
			}
			s.Add(rate, p)
		}
		res := s.Result()
		disturbed += res.Disturbed
		if res.LowerUnsure || res.UpperUnsure {
			unsure++
			continue
		}
		sure++
		if res.Lower <= q.capacity() && q.capacity() <= res.Upper {
			held++
		}
	}
	if held < sure*95/100 || unsure > seeds/10 || disturbed == 0 {
		t.Errorf("held in %d of %d that are sure, %d are not; %d probes were disturbed", held, sure, unsure, disturbed)
	}
}

// decided is what a search of one load finds, with the losses of its trials.
func decided(probes ...Probe) Result {
	s := NewSearch(p99, 1000, 1, 1e8)
	for _, p := range probes {
		s.Add(1000, p)
	}
	return s.Result()
}

func TestABoundThatNeighboursDecidedIsNotSure(t *testing.T) {
	good, bad := Probe{}, Probe{Loss: 0.5}
	spoiltGood, spoiltBad := Probe{Disturbed: true}, Probe{Loss: 0.5, Disturbed: true}
	for _, c := range []struct {
		probes []Probe
		lower  bool // the load is the lower bound and not the upper one
		unsure bool
	}{
		{[]Probe{good, good}, true, false}, {[]Probe{bad, bad}, false, false},
		{[]Probe{spoiltBad, good, good}, true, false}, {[]Probe{good, spoiltGood}, true, true},
		{[]Probe{good, spoiltBad, bad}, false, true}, {[]Probe{bad, spoiltBad, bad}, false, false}, {[]Probe{spoiltBad, spoiltBad}, false, true},
	} {
		r := decided(c.probes...)
		if (r.Lower > 0) != c.lower || (r.Upper > 0) == c.lower || (r.LowerUnsure || r.UpperUnsure) != c.unsure || r.UpperUnsure && c.lower {
			t.Errorf("%+v: %+v", c.probes, r)
		}
	}
	if r := decided(spoiltBad, good, good); r.Disturbed != 1 || r.Probes != 3 {
		t.Errorf("%d of %d disturbed, want 1 of 3", r.Disturbed, r.Probes)
	}
}

// find searches with a system that passes below a capacity.
func find(start, highest, capacity, generator float64) Result {
	s := NewSearch(p99, start, 1, highest)
	for rate, ok := s.Next(); ok; rate, ok = s.Next() {
		loss := 0.0
		if rate > capacity {
			loss = 0.5
		}
		s.Add(rate, Probe{Loss: loss, Generator: rate > generator})
	}
	return s.Result()
}

func TestWhatHasNoBoundSaysSo(t *testing.T) {
	if r := find(1000, 8000, 1e9, 1e9); r.Lower != 8000 || r.Upper != 0 || !strings.Contains(r.Irregular, "or more") {
		t.Errorf("everything passes: %+v", r)
	}
	if r := find(1000, 1e8, 0, 1e9); r.Lower != 0 || !strings.Contains(r.Irregular, "no load passed") {
		t.Errorf("nothing passes: %+v", r)
	}
	if r := find(1000, 1e8, 1e9, 5000); r.Lower > 5000 || r.Lower < 4700 || r.Upper != 0 || !strings.Contains(r.Irregular, "generator") {
		t.Errorf("the generator is the limit: %+v", r)
	}
	if r := find(1000, 1e8, 5000, 9000); r.Irregular != "" || r.Lower > 5000 || r.Upper < 5000 {
		t.Errorf("the generator has a limit above the server's: %+v", r)
	}
}

func TestASearchThatContradictsItselfEnds(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	s := NewSearch(Goal{LossRatio: 0.01, Trials: 101, ExceedRatio: 0.5, Width: 1e-9}, 1e6, 1, 1e8)
	n := 0
	for rate, ok := s.Next(); ok; rate, ok = s.Next() {
		s.Add(rate, Probe{Loss: float64(r.IntN(2))})
		n++
	}
	if n > MaxProbes {
		t.Errorf("%d probes", n)
	}
}

func TestLossIsWhateverWasNotOnTime(t *testing.T) {
	h := hdrhistogram.New(1, 60e9, 3)
	for range 90 {
		_ = h.RecordValue(1e6)
	}
	for range 5 {
		_ = h.RecordValue(7e6)
	}
	text, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		t.Fatal(err)
	}
	slo := SLO{Share: 0.99, Limit: 5 * time.Millisecond}
	full := record.Trial{Due: 100, Histograms: map[string]string{"response": string(text)}}
	for want, tr := range map[float64]record.Trial{0.1: full, 1: {Failed: "it fell over"}} { // 5 late, 5 failed or never sent
		if got, err := slo.Loss(&tr); err != nil || math.Abs(got-want) > 1e-9 {
			t.Errorf("got %v, %v; want %v", got, err, want)
		}
	}
	full.Histograms["response"] = "damaged"
	if _, err := slo.Loss(&full); err == nil {
		t.Error("a damaged histogram is no loss")
	}
}

func TestServiceLevelsReadAsMeant(t *testing.T) {
	for text, want := range map[string]SLO{
		"p99<5ms":    {Share: 0.99, Limit: 5 * time.Millisecond},
		"p99.9 < 1s": {Share: 0.999, Limit: time.Second},
		"p999<20ms":  {Share: 0.999, Limit: 20 * time.Millisecond},
		"p50<100us":  {Share: 0.5, Limit: 100 * time.Microsecond},
	} {
		got, err := ParseSLO(text)
		if err != nil || math.Abs(got.Share-want.Share) > 1e-12 || got.Limit != want.Limit {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "p99", "99<5ms", "p0<5ms", "p100<5ms", "pp<5ms", "p99<5", "p99<-5ms"} {
		if _, err := ParseSLO(text); !misuse.Is(err) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
