package load

import (
	"math"
	"slices"

	"github.com/aclements/go-moremath/mathx"

	"turnlab/harness/control"
	"turnlab/harness/record"
)

// Whether what was sent is the Poisson process that was asked for is tested on the times at which requests really left, and
// not on the schedule, which a generator may draw rightly and keep badly.
//
// A gap between two sends is the intended gap and the difference of two slips. A thread that has slept sends some 30 µs late,
// and two sends of one thread are never closer than a send takes, about 7 µs: at 20,000 requests per second every seventh
// gap is shorter than that, so a test of single gaps rejects every honest generator. What a slip of microseconds cannot
// change is the time that many gaps take together. So the gaps are added up, k at a time, until the sums scatter by
// spacingSD: sums of k exponential gaps of a known mean have the gamma distribution of shape k, and each sum's place in it
// is uniform on [0, 1] if the process is what it should be. The places of all threads and generators together are held
// against the uniform distribution by Anderson and Darling's A², with nothing estimated from the data (their case 0).
// Sums that are too alike show regular arrivals, sums that differ too much show bursts and pauses, and sums that are all long
// or all short show another rate.
//
// Bursts within a sum, below a millisecond, stay hidden from this test; slip shows those. So does a rate that drifts by less
// than its half while its mean is right, because the order of the sums is not looked at; the slices of progress show it. Fixed gaps are not tested, for there
// slip says everything.
//
// Note: Lancet (Kogias, Mallon, Bugnion, ATC 2019) tests single gaps, with an estimated mean and twice the critical value
// at 1 %. A factor found by trial would have to be found again for each rate and machine.
//
// Note: send times given their number are uniform on the window, which could be tested as well. Thinned until slips do not
// matter, a process of any kind passes for Poisson, regular ones among them.
const (
	spacingSD    = 1e6 // ns, of the sums
	leastGaps    = 8   // in a sum: a distribution without an edge at 0, where slips would show at once
	mostSums     = 1024
	leastSums    = 8   // in all, to say anything
	gammaIncMost = 256 // the largest shape for which the gamma distribution is computed exactly
)

// spacing collects the sums of one thread.
type spacing struct {
	gap   float64 // mean, in ns; 0: nothing is tested
	every int     // gaps of a sum
	left  int     // of the sum under way
	last  int64   // when that began; 0 before the first send
	sums  []int64
}

// newSpacing prepares a thread with gaps of mean gap in a window of at most longest ns.
func newSpacing(l control.Load, gap float64, longest int64) spacing {
	if l.Arrivals != Poisson || gap == 0 {
		return spacing{}
	}
	most := mostSums / (l.Parts * l.Threads)
	byScatter := math.Ceil(spacingSD * spacingSD / (gap * gap))
	byNumber := math.Ceil(float64(longest) / gap / float64(max(most, 1)))
	every := int(max(leastGaps, byScatter, byNumber))
	return spacing{gap: gap, every: every, left: 1, sums: make([]int64, 0, max(most, 1))}
}

// note takes in a request of the window that leaves now.
func (s *spacing) note(sent int64) {
	if s.left--; s.left != 0 {
		return
	}
	s.left = s.every
	if s.last != 0 && len(s.sums) < cap(s.sums) {
		s.sums = append(s.sums, sent-s.last)
	}
	s.last = sent
}

// places returns where the sums lie in the distribution that they should have.
func (s *spacing) places() []float64 {
	var places []float64
	for _, sum := range s.sums {
		u := gammaShare(float64(s.every), float64(sum)/s.gap)
		places = append(places, math.Round(u*1e6)/1e6) // they go over the wire as text
	}
	return places
}

// gammaShare returns the share of the gamma distribution of shape k and scale 1 that lies below x. For large shapes it is
// Wilson and Hilferty's: the cube root is normal, to four digits.
func gammaShare(k, x float64) float64 {
	if k <= gammaIncMost {
		return mathx.GammaInc(k, x)
	}
	z := (math.Cbrt(x/k) - 1 + 1/(9*k)) * math.Sqrt(9*k)
	return math.Erfc(-z/math.Sqrt2) / 2
}

// arrivals collects what the threads have seen of the spacing of requests.
func (g *generator) arrivals() *control.Arrivals {
	var a control.Arrivals
	for _, w := range g.workers {
		if p := w.spacing.places(); len(p) > 0 {
			a.Gaps, a.Places = max(a.Gaps, w.spacing.every), append(a.Places, p...)
		}
	}
	if len(a.Places) == 0 {
		return nil
	}
	return &a
}

// TestArrivals tests whether requests left as a Poisson process. It is nil when there is too little to tell.
func TestArrivals(a *control.Arrivals) *record.Arrivals {
	if a == nil || len(a.Places) < leastSums {
		return nil
	}
	return &record.Arrivals{Statistic: fromUniform(a.Places), Sums: len(a.Places), Gaps: a.Gaps}
}

// fromUniform returns Anderson and Darling's A² of values that should be uniform on [0, 1]:
//
//	A² = −n − 1/n Σ (2i−1) (ln u(i) + ln(1−u(n+1−i)))
//
// Values at the very ends, where the logarithm has no end, are taken for a millionth inside, which is how exactly they are known.
func fromUniform(values []float64) float64 {
	sorted, n, sum := slices.Sorted(slices.Values(values)), len(values), 0.0
	inside := func(u float64) float64 { return min(max(u, 1e-6), 1-1e-6) }
	for i, u := range sorted {
		sum += float64(2*i+1) * (math.Log(inside(u)) + math.Log(1-inside(sorted[n-1-i])))
	}
	return -float64(n) - sum/float64(n)
}
