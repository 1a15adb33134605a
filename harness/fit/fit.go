// Package fit draws the Universal Scalability Law through a closed-loop sweep:
//
//	X(N) = λN / (1 + σ(N-1) + κN(N-1))
//
// X is the throughput at N connections, λ what one alone would get, σ the share that all wait for one another
// (contention), and κ the cost of each pair (coherency). With κ above 0 throughput has a peak, at √((1-σ)/κ).
//
// The three are fitted together, without dividing by a measured X(1), which would hang every value on one point. σ and κ
// are not below 0: negative ones have no meaning and would only fit noise. Intervals come from a bootstrap over blocks: a
// block is drawn whole, because its trials share what the machine did at that time.
//
// Limits: the law describes, and does not explain; with client and server on few shared cores, σ and κ are of the whole
// arrangement and not of the engine. A peak beyond the largest N that was measured is an extrapolation and is not named.
package fit

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// MinSizes is the least number of different N: three parameters need more than three points to be doubted.
const MinSizes = 6

// Resamples is how many times the blocks are drawn for the intervals.
const Resamples = 1000

// An Observation is the throughput at N connections in a block.
type Observation struct {
	Block int
	N, X  float64
}

// A Law is a fitted law.
type Law struct{ Lambda, Sigma, Kappa float64 }

// At returns the throughput that the law gives at n.
func (l Law) At(n float64) float64 { return l.Lambda * n / (1 + l.Sigma*(n-1) + l.Kappa*n*(n-1)) }

// Peak returns where throughput is highest; ok is false when it never falls.
func (l Law) Peak() (n float64, ok bool) {
	if l.Kappa <= 0 {
		return 0, false
	}
	return math.Max(1, math.Floor(math.Sqrt(math.Max(0, 1-l.Sigma)/l.Kappa))), true
}

// A Range is an interval at 95 %.
type Range struct{ Low, High float64 }

// A Fit is the law of the medians, with intervals when there were enough blocks for them.
type Fit struct {
	Law
	Sizes  []float64
	Blocks int
	Error  float64           // largest distance of a median from the law, as a share of the law
	Ranges map[string]*Range // lambda, sigma, kappa; nil with fewer than MinBlocks
	// NoPeak is the share of the resamples without a peak in the measured range.
	NoPeak float64
}

// MinBlocks is the least number of blocks for intervals, as for those of medians.
const MinBlocks = 6

// USL fits the law to observations.
func USL(all []Observation, seed uint64) (Fit, error) {
	byBlock := map[int][]Observation{}
	for _, o := range all {
		if !(o.N >= 1 && o.X > 0) || math.IsInf(o.X, 0) {
			return Fit{}, fmt.Errorf("a throughput of %v at %v connections cannot be fitted", o.X, o.N)
		}
		byBlock[o.Block] = append(byBlock[o.Block], o)
	}
	sizes, medians := mediansOf(all)
	if len(sizes) < MinSizes {
		return Fit{}, fmt.Errorf("%d different numbers of connections: the law takes %d or more", len(sizes), MinSizes)
	}
	f := Fit{Law: solve(sizes, medians), Sizes: sizes, Blocks: len(byBlock)}
	for i, n := range sizes {
		f.Error = math.Max(f.Error, math.Abs(medians[i]/f.At(n)-1))
	}
	if len(byBlock) >= MinBlocks {
		f.resample(byBlock, seed)
	}
	return f, nil
}

// InRange returns the peak when it lies within what was measured.
func (f Fit) InRange() (n float64, ok bool) { return inRange(f.Law, f.Sizes) }

func inRange(l Law, sizes []float64) (float64, bool) {
	n, ok := l.Peak()
	return n, ok && n <= sizes[len(sizes)-1]
}

// resample fits the law to blocks drawn with replacement.
func (f *Fit) resample(byBlock map[int][]Observation, seed uint64) {
	r := rand.New(rand.NewPCG(seed, uint64(len(byBlock))))
	var blocks []int
	for b := range byBlock {
		blocks = append(blocks, b)
	}
	slices.Sort(blocks)
	values := map[string][]float64{}
	for range Resamples {
		var drawn []Observation
		for range blocks {
			drawn = append(drawn, byBlock[blocks[r.IntN(len(blocks))]]...)
		}
		sizes, medians := mediansOf(drawn)
		l := solve(sizes, medians)
		values["lambda"] = append(values["lambda"], l.Lambda)
		values["sigma"] = append(values["sigma"], l.Sigma)
		values["kappa"] = append(values["kappa"], l.Kappa)
		if _, ok := inRange(l, f.Sizes); !ok {
			f.NoPeak += 1.0 / Resamples
		}
	}
	f.Ranges = map[string]*Range{}
	for name, v := range values {
		slices.Sort(v)
		f.Ranges[name] = &Range{v[len(v)*25/1000], v[len(v)*975/1000-1]}
	}
}

// mediansOf returns the different N in order, with the median throughput of each.
func mediansOf(all []Observation) (sizes, medians []float64) {
	bySize := map[float64][]float64{}
	for _, o := range all {
		bySize[o.N] = append(bySize[o.N], o.X)
	}
	for n := range bySize {
		sizes = append(sizes, n)
	}
	slices.Sort(sizes)
	for _, n := range sizes {
		x := slices.Sorted(slices.Values(bySize[n]))
		medians = append(medians, (x[(len(x)-1)/2]+x[len(x)/2])/2)
	}
	return sizes, medians
}

// solve finds the law with the least squares of relative errors. N/X is linear in a = 1/λ, b = σ/λ and c = κ/λ:
//
//	N/X = a + b(N-1) + cN(N-1)
//
// and dividing each line by N/X makes its error relative, so that small and large N weigh alike. With three unknowns, the
// constraint b, c ≥ 0 is met by trying each way of leaving them out and taking the best that keeps it, which is exact.
//
// Note: a general optimiser would need a start, a tolerance and a bound on its steps, and could end beside the best.
func solve(sizes, medians []float64) Law {
	best, least := Law{}, math.Inf(1)
	for _, use := range [][3]bool{{true, true, true}, {true, true, false}, {true, false, true}, {true, false, false}} {
		p, ok := leastSquares(sizes, medians, use)
		if !ok || p[0] <= 0 || p[1] < 0 || p[2] < 0 {
			continue
		}
		if e := squares(sizes, medians, p); e < least {
			best, least = Law{1 / p[0], p[1] / p[0], p[2] / p[0]}, e
		}
	}
	return best
}

// line returns the three columns of an observation, divided by N/X.
func line(n, x float64) [3]float64 {
	scale := x / n
	return [3]float64{scale, (n - 1) * scale, n * (n - 1) * scale}
}

func squares(sizes, medians []float64, p [3]float64) (sum float64) {
	for i, n := range sizes {
		row := line(n, medians[i])
		d := row[0]*p[0] + row[1]*p[1] + row[2]*p[2] - 1
		sum += d * d
	}
	return sum
}

// leastSquares solves the normal equations of the columns in use, by elimination. Columns are scaled to length 1 first, for
// they differ by as much as N² in size.
func leastSquares(sizes, medians []float64, use [3]bool) (p [3]float64, ok bool) {
	var length [3]float64
	for i, n := range sizes {
		for j, v := range line(n, medians[i]) {
			length[j] += v * v
		}
	}
	var m [3][4]float64
	for i, n := range sizes {
		row := line(n, medians[i])
		for j := range 3 {
			for k := range 3 {
				m[j][k] += row[j] * row[k] / math.Sqrt(length[j]*length[k])
			}
			m[j][3] += row[j] / math.Sqrt(length[j])
		}
	}
	for j, used := range use {
		if !used {
			for k := range 3 {
				m[j][k], m[k][j] = 0, 0
			}
			m[j][j], m[j][3] = 1, 0
		}
	}
	p, ok = eliminate(m)
	for j := range p {
		p[j] /= math.Sqrt(length[j])
	}
	return p, ok
}

// eliminate solves three equations, the largest pivot first; ok is false when they are not independent.
func eliminate(m [3][4]float64) (p [3]float64, ok bool) {
	for i := range 3 {
		best := i
		for j := i + 1; j < 3; j++ {
			if math.Abs(m[j][i]) > math.Abs(m[best][i]) {
				best = j
			}
		}
		m[i], m[best] = m[best], m[i]
		if math.Abs(m[i][i]) < 1e-12 {
			return p, false
		}
		for j := range 3 {
			if j == i {
				continue
			}
			factor := m[j][i] / m[i][i]
			for k := i; k < 4; k++ {
				m[j][k] -= factor * m[i][k]
			}
		}
	}
	for i := range p {
		p[i] = m[i][3] / m[i][i]
	}
	return p, true
}
