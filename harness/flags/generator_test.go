package flags

import (
	"testing"

	"turnlab/harness/record"
)

func raises(t *record.Trial, code string) bool {
	Judge(t)
	for _, f := range t.Flags {
		if f.Code == code {
			return true
		}
	}
	return false
}

func TestArrivalsThatAreNotPoissonAreDoubted(t *testing.T) {
	for statistic, want := range map[float64]bool{0.8: false, 3.9: false, 6.1: true, 400: true} {
		tr := open()
		tr.Arrivals = &record.Arrivals{Statistic: statistic, Sums: 150, Gaps: 400}
		if got := raises(tr, "arrivals_wrong"); got != want {
			t.Errorf("A² of %v: doubted %v, want %v", statistic, got, want)
		}
	}
	tr := open()
	tr.Arrivals, tr.ThroughputRPS = &record.Arrivals{Statistic: 400, Sums: 150, Gaps: 400}, 5000
	if raises(tr, "arrivals_wrong") {
		t.Error("a server that cannot keep up is to blame for when requests leave, and is blamed already")
	}
}

func TestGeneratorsThatAreApartAreDoubted(t *testing.T) {
	for apartNS, want := range map[int64]bool{0: false, 1e6: false, 29e6: false, 31e6: true} {
		tr := open()
		tr.ApartNS = apartNS
		if got := raises(tr, "generators_apart"); got != want {
			t.Errorf("%d ns of 3 s apart: doubted %v, want %v", apartNS, got, want)
		}
	}
}

func TestARateAboveTheCalibrationIsDoubtedAlsoWhereTheGeneratorWasNotBusy(t *testing.T) {
	for _, c := range []struct {
		genMax, util float64
		want         string
	}{{0, 0.5, ""}, {10_000, 0.5, ""}, {8000, 0.5, record.Warn}, {8000, 0.9, record.Invalid}} {
		tr := open()
		tr.Params["rate"], tr.GenMaxRPS, tr.CPU.ClientUtil = 10_000.0, c.genMax, c.util
		f, raised := clientLimited(tr)
		if raised != (c.want != "") || raised && f.Level != c.want {
			t.Errorf("%+v: %v, %+v", c, raised, f)
		}
		if c.want == record.Warn && (f.Figure != 1 || f.Bound != clientBound) { // 0.8 of its CPUs at 8,000, so all of them at 10,000
			t.Errorf("%+v: %+v", c, f)
		}
	}
}

func TestSeveralGeneratorsReachSeveralCPUs(t *testing.T) {
	for util, want := range map[float64]bool{1.5: false, 1.7: true} {
		tr := open()
		tr.Params["client-cpus"], tr.Params["generators"] = "1,2", 2.0
		tr.CPU.ClientUtil = util
		if got := raises(tr, "client_limited"); got != want {
			t.Errorf("%v of 2 CPUs: doubted %v, want %v", util, got, want)
		}
	}
}
