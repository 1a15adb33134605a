package compare

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"turnlab/internal/misuse"
	"turnlab/internal/option"
)

// A Bound is how much worse B may be than A in a metric before a comparison fails.
type Bound struct {
	Metric string
	Worse  float64 // 0.05 for 5 %
}

// ParseBound reads a bound as users write it: p99>5%.
func ParseBound(text string) (Bound, error) {
	name, amount, ok := strings.Cut(text, ">")
	name = strings.TrimSpace(name)
	if !ok {
		return Bound{}, misuse.Errorf("--fail-on %s: write METRIC>SHARE, as in --fail-on 'p99>5%%'", text)
	}
	if !slices.Contains(Names, name) {
		return Bound{}, misuse.Errorf("--fail-on %s: no metric %q; there are: %s", text, name, strings.Join(Names, ", "))
	}
	o := option.Option{Name: "--fail-on " + name, Kind: option.Float, Min: 0, Max: 100}
	v, err := o.Parse(strings.TrimSpace(amount))
	if err != nil {
		return Bound{}, misuse.Errorf("%w", err)
	}
	return Bound{name, v.Float()}, nil
}

// A Regression is a row that is proven to be beyond its bound.
type Regression struct {
	Row   Row
	Bound Bound
}

// String says how much worse B is at least.
func (r Regression) String() string {
	return fmt.Sprintf("%s: %s is worse by %.1f %% at least, beyond the bound of %g %%",
		r.Row.Point, r.Row.Metric, 100*r.Row.leastWorse(), 100*r.Bound.Worse)
}

// Regressions returns the rows whose verdict is worse and whose whole interval lies beyond a bound. A median beyond the
// bound with an interval that reaches back is a reason to measure longer and no proof.
func (t *Table) Regressions(bounds []Bound) []Regression {
	var found []Regression
	for _, row := range t.Rows {
		for _, b := range bounds {
			if row.Metric == b.Metric && row.Worse() && row.leastWorse() > b.Worse {
				found = append(found, Regression{row, b})
			}
		}
	}
	return found
}

// leastWorse is how much worse B is at the kindest end of the interval, as a share of A.
func (r Row) leastWorse() float64 {
	if !r.Ratio.Exists() {
		return math.Inf(-1)
	}
	if r.Better == "higher" {
		return 1 - r.Ratio.High
	}
	return r.Ratio.Low - 1
}
