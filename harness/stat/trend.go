package stat

import (
	"math"

	moremath "github.com/aclements/go-moremath/stats"
	"github.com/montanaflynn/stats"
)

// A Trend says whether values grow or fall in their order.
type Trend struct {
	Rho    float64 // Spearman's rank correlation of the values with their place: 1 when each is larger than the last
	P      float64 // that |Rho| would be at least this large if the order were chance (Student's t, good from ten values on)
	Change float64 // from the median of the first third to that of the last, as a share of the first
}

// FindTrend looks for a trend in values, such as the throughput of the slices of a trial. ok is false for fewer than ten
// values, for values that are all alike, and where the first third has a median of 0.
func FindTrend(values []float64) (t Trend, ok bool) {
	n := len(values)
	if n < 10 || check(values) != nil {
		return t, false
	}
	places := make([]float64, n)
	for i := range places {
		places[i] = float64(i)
	}
	first, _ := stats.Median(values[:n/3]) // these fail on no values only
	last, _ := stats.Median(values[n-n/3:])
	rho, err := stats.Spearman(places, values)
	if err != nil || math.IsNaN(rho) || first == 0 {
		return t, false
	}
	t = Trend{Rho: rho, Change: last/first - 1}
	if spread := 1 - rho*rho; spread > 0 {
		student := math.Abs(rho) * math.Sqrt(float64(n-2)/spread)
		t.P = 2 * (1 - moremath.TDist{V: float64(n - 2)}.CDF(student))
	}
	return t, true
}
