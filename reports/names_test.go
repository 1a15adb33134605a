package reports

import (
	"slices"
	"testing"

	"turnlab/reports/chart"
)

func TestACopyOfANameTakesNoneThatAnotherChartHas(t *testing.T) {
	r := &report{figures: [][][]figure{{{}}}}
	for _, id := range []string{"a", "a", "a-2", "a", "a-2", "b"} {
		r.figures[0][0] = append(r.figures[0][0], figure{Chart: chart.Chart{ID: id}, Other: &chart.Chart{ID: id}})
	}
	want := []string{"a", "a-3", "a-2", "a-4", "a-2-2", "b"}
	for range 2 { // names that are unique stay
		r.nameCharts()
		var got, others []string
		for _, f := range r.allFigures() {
			got, others = append(got, f.Chart.ID), append(others, f.Other.ID)
		}
		if !slices.Equal(got, want) || !slices.Equal(others, want) {
			t.Errorf("charts are called %q, on the other scale %q, want %q", got, others, want)
		}
	}
}
