package flags

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"turnlab/harness/record"
)

// closed is a trial without a fault: 64 connections, 10,000 requests per second, Little's law kept.
func closed() *record.Trial {
	return &record.Trial{
		Point: record.Point{Mode: record.Closed, Params: map[string]any{
			"conns": 64.0, "depth": 1.0, "threads": 1.0, "rate": 0.0, "timeout": "5s", "server-cpus": "0", "client-cpus": "1",
		}},
		WindowSeconds: 3, Requests: 30_000, ThroughputRPS: 10_000,
		LatencyNS: map[string]record.Latency{
			"service": {P50: 6.4e6, P90: 7e6, P99: 8e6, P999: 9e6, Max: 10e6, Mean: 6.4e6, Count: 30_000},
		},
		CPU: &record.CPU{ServerUtil: 0.9, ClientUtil: 0.7}, Machine: &record.Machine{ForeignUtil: 0.01, StealUtil: 0.001},
	}
}

// open is the same at a rate, with time to spare.
func open() *record.Trial {
	t := closed()
	t.Mode = record.Open
	t.Params["rate"] = 10_000.0
	t.Due, t.Sent, t.OfferedRPS = 30_000, 30_000, 10_000
	t.LatencyNS = map[string]record.Latency{
		"service":  {P50: 50e3, P90: 70e3, P99: 90e3, P999: 95e3, Max: 99e3, Mean: 50e3, Count: 30_000},
		"response": {P50: 60e3, P90: 80e3, P99: 99e3, P999: 99e3, Max: 99e3, Mean: 60e3, Count: 30_000},
		"slip":     {P50: 10e3, P90: 20e3, P99: 30e3, P999: 40e3, Max: 50e3, Mean: 10e3, Count: 30_000},
	}
	return t
}

func latency(t *record.Trial, kind string, change func(*record.Latency)) {
	l := t.LatencyNS[kind]
	change(&l)
	t.LatencyNS[kind] = l
}

func TestATrialWithoutFaultHasNoFlag(t *testing.T) {
	for _, tr := range []*record.Trial{closed(), open()} {
		Judge(tr)
		if len(tr.Flags) > 0 || !tr.Valid() {
			t.Errorf("%s: %+v", tr.Mode, tr.Flags)
		}
	}
}

func TestAnEmptyRecordIsNotDoubtedForWhatNobodyMeasured(t *testing.T) {
	for _, mode := range []string{record.Closed, record.Open} {
		tr := &record.Trial{Point: record.Point{Mode: mode}}
		if Judge(tr); len(tr.Flags) > 0 {
			t.Errorf("%s: %+v", mode, tr.Flags)
		}
	}
}

// A fault changes a good trial a little less and a little more than a flag allows.
type fault struct {
	name  string
	base  func() *record.Trial
	under change // must not raise
	over  change // must raise want
	want  string // code and level
}

type change func(*record.Trial)

func none(*record.Trial) {}

// slices100 are 30 slices of 1,000 replies at first, each with the given share of the last.
func slices100(share float64) []record.Window {
	windows, n := make([]record.Window, 30), 1000.0
	for i := range windows {
		windows[i] = record.Window{Received: uint64(n), Measured: true}
		n *= share
	}
	return windows
}

var faults = []fault{
	{"an error", closed, none, func(t *record.Trial) { t.Errors = map[string]uint64{"reset": 30} }, "bad_answers warn"},
	{"many errors", closed, none, func(t *record.Trial) { t.Errors = map[string]uint64{"reset": 31} }, "bad_answers invalid"},
	{"one wrong byte", closed, none, func(t *record.Trial) { t.Errors = map[string]uint64{"wrong": 1} }, "bad_answers invalid"},
	{"nothing answered", closed, func(t *record.Trial) { t.Requests, t.LatencyNS = 1, nil }, func(t *record.Trial) {
		t.Requests, t.ThroughputRPS, t.LatencyNS = 0, 0, nil
	}, "no_answers invalid"},
	{"messages lost", open, func(t *record.Trial) { t.Deliveries = &record.Deliveries{Due: 9, Received: 9} },
		func(t *record.Trial) { t.Deliveries = &record.Deliveries{Due: 9, Received: 8, Missing: 1} }, "deliveries_missing warn"},
	{"no steadiness", closed, func(t *record.Trial) { t.Steady = new(true) }, func(t *record.Trial) { t.Steady, t.WarmupSeconds = new(false), 10 },
		"no_steady invalid"},
	{"nothing but errors", closed, none, func(t *record.Trial) {
		t.Requests, t.ThroughputRPS, t.Errors, t.LatencyNS = 0, 0, map[string]uint64{"refused": 9}, nil
	}, "bad_answers invalid"},
	{"a reply missing", closed, none, func(t *record.Trial) { t.Unanswered = 1 }, "unanswered warn"},
	{"replies missing", closed, none, func(t *record.Trial) { t.Unanswered = 400 }, "unanswered invalid"},
	{"a latency lost", closed, none, func(t *record.Trial) { t.Unrecorded = 1 }, "unrecorded invalid"},
	{"late sends", open, func(t *record.Trial) { t.Sent = 29_500 }, func(t *record.Trial) { t.Sent = 29_400 }, "rate_missed warn"},
	{"few sends", open, func(t *record.Trial) { t.Sent = 29_500 }, func(t *record.Trial) { t.Sent = 26_900 }, "rate_missed invalid"},
	{"few sends of few", open, func(t *record.Trial) { t.Due, t.Sent = 100, 75; t.ThroughputRPS = 100.0 / 3 },
		func(t *record.Trial) { t.Due, t.Sent = 100, 69; t.ThroughputRPS = 100.0 / 3 }, "rate_missed invalid"},
	{"overload", open, func(t *record.Trial) { t.ThroughputRPS = 9830 }, func(t *record.Trial) { t.ThroughputRPS = 9820 }, "overloaded warn"},
	{"a busy generator", closed, func(t *record.Trial) { t.CPU.ClientUtil = 0.80 },
		func(t *record.Trial) { t.CPU.ClientUtil = 0.81 }, "client_limited warn"},
	{"a busy generator at a rate", open, func(t *record.Trial) { t.CPU.ClientUtil = 0.80 },
		func(t *record.Trial) { t.CPU.ClientUtil = 0.81 }, "client_limited invalid"},
	{"a busy generator of two threads", open,
		func(t *record.Trial) {
			t.CPU.ClientUtil, t.Params["threads"], t.Params["client-cpus"] = 1.6, 2.0, "1-3"
		},
		func(t *record.Trial) {
			t.CPU.ClientUtil, t.Params["threads"], t.Params["client-cpus"] = 1.7, 2.0, "1-3"
		}, "client_limited invalid"},
	{"a busy generator of one connection", open,
		func(t *record.Trial) { t.CPU.ClientUtil, t.Params["conns"], t.Params["client-cpus"] = 0.7, 1.0, "1-3" },
		func(t *record.Trial) { t.CPU.ClientUtil, t.Params["conns"], t.Params["client-cpus"] = 0.9, 1.0, "1-3" }, "client_limited invalid"},
	{"late tail", open, func(t *record.Trial) { latency(t, "slip", func(l *record.Latency) { l.P99 = 100e3 }) },
		func(t *record.Trial) { latency(t, "slip", func(l *record.Latency) { l.P99 = 100e3 + 1 }) }, "slip_high warn"},
	{"late tail of a slow server", open,
		func(t *record.Trial) {
			latency(t, "slip", func(l *record.Latency) { l.P99 = 200e3 })
			latency(t, "service", func(l *record.Latency) { l.P50 = 2e6 })
		},
		func(t *record.Trial) {
			latency(t, "slip", func(l *record.Latency) { l.P99 = 201e3 })
			latency(t, "service", func(l *record.Latency) { l.P50 = 2e6 })
		}, "slip_high warn"},
	{"late half", open, func(t *record.Trial) { latency(t, "slip", func(l *record.Latency) { l.P50 = 1e6 }) },
		func(t *record.Trial) { latency(t, "slip", func(l *record.Latency) { l.P50 = 1e6 + 1 }) }, "slip_high invalid"},
	{"Little's law", closed, func(t *record.Trial) { t.ThroughputRPS = 10_340 }, func(t *record.Trial) { t.ThroughputRPS = 10_345 }, "littles_law warn"},
	{"Little's law from below", closed, func(t *record.Trial) { t.ThroughputRPS = 9_660 }, func(t *record.Trial) { t.ThroughputRPS = 9_655 }, "littles_law warn"},
	{"Little's law in a short window", closed, func(t *record.Trial) { t.ThroughputRPS, t.WindowSeconds = 11_500, 0.1 },
		func(t *record.Trial) { t.ThroughputRPS, t.WindowSeconds = 11_600, 0.1 }, "littles_law warn"},
	{"a neighbour", closed, func(t *record.Trial) { t.Machine.ForeignUtil = 0.119 },
		func(t *record.Trial) { t.Machine.ForeignUtil = 0.121 }, "foreign_cpu warn"},
	{"a loud neighbour", closed, none, func(t *record.Trial) { t.Machine.ForeignUtil = 0.221 }, "foreign_cpu invalid"},
	{"a neighbour and a short window", closed, func(t *record.Trial) { t.Machine.ForeignUtil, t.WindowSeconds = 0.69, 0.1 },
		func(t *record.Trial) { t.Machine.ForeignUtil, t.WindowSeconds = 0.81, 0.1 }, "foreign_cpu invalid"},
	{"a neighbour on one shared CPU", closed,
		func(t *record.Trial) { t.Machine.ForeignUtil, t.Params["client-cpus"] = 0.059, "0" },
		func(t *record.Trial) { t.Machine.ForeignUtil, t.Params["client-cpus"] = 0.061, "0" }, "foreign_cpu warn"},
	{"a thief", closed, func(t *record.Trial) { t.Machine.StealUtil = 0.039 },
		func(t *record.Trial) { t.Machine.StealUtil = 0.041 }, "stolen_cpu warn"},
	{"a great thief", closed, none, func(t *record.Trial) { t.Machine.StealUtil = 0.221 }, "stolen_cpu invalid"},
	{"a late sample", closed, func(t *record.Trial) { t.SampleLateNS = int64(0.09e9 * t.WindowSeconds) },
		func(t *record.Trial) { t.SampleLateNS = int64(0.11e9 * t.WindowSeconds) }, "sample_late warn"},
	{"shared CPUs", closed, none, func(t *record.Trial) { t.Params["server-cpus"] = "0-1" }, "cpu_overlap warn"},
	{"few requests", open,
		func(t *record.Trial) { latency(t, "response", func(l *record.Latency) { l.Count = 368 }) },
		func(t *record.Trial) { latency(t, "response", func(l *record.Latency) { l.Count = 367 }) }, "thin_tail warn"},
	{"few requests in a closed loop", closed,
		func(t *record.Trial) { latency(t, "service", func(l *record.Latency) { l.Count = 368 }) },
		func(t *record.Trial) { latency(t, "service", func(l *record.Latency) { l.Count = 367 }) }, "thin_tail warn"},
	{"a generator that collects", open, func(t *record.Trial) { t.ClientSched = map[string]float64{"gc_cycles": 0} },
		func(t *record.Trial) { t.ClientSched = map[string]float64{"gc_cycles": 1} }, "client_gc warn"},
	{"a server that becomes slower", closed, func(t *record.Trial) { t.Windows = slices100(0.998) },
		func(t *record.Trial) { t.Windows = slices100(0.99) }, "not_stationary warn"},
	{"a server that becomes faster", closed, func(t *record.Trial) { t.Windows = slices100(1.002) },
		func(t *record.Trial) { t.Windows = slices100(1.01) }, "not_stationary warn"},
	{"arrivals in bursts", open, func(t *record.Trial) { t.Arrivals = &record.Arrivals{Statistic: 6} },
		func(t *record.Trial) { t.Arrivals = &record.Arrivals{Statistic: 6.1} }, "arrivals_wrong warn"},
	{"generators apart", open, func(t *record.Trial) { t.ApartNS = 29e6 }, func(t *record.Trial) { t.ApartNS = 31e6 },
		"generators_apart warn"},
}

func TestEveryFlagHasItsFaultAndEveryFaultItsFlag(t *testing.T) {
	faulty := map[string]bool{}
	for _, f := range faults {
		code, _, _ := strings.Cut(f.want, " ")
		faulty[code] = true
	}
	for _, rule := range Rules {
		if !faulty[rule.Code] {
			t.Errorf("%s: no fault shows that it is raised", rule.Code)
		}
		delete(faulty, rule.Code)
	}
	for code := range faulty {
		t.Errorf("a fault wants %s, which no rule raises", code)
	}
}

func TestFlagsAreRaisedBeyondTheirBoundsAndNotBefore(t *testing.T) {
	for _, test := range faults {
		code, level, _ := strings.Cut(test.want, " ")
		under, over := test.base(), test.base()
		test.under(under)
		test.over(over)
		Judge(under)
		Judge(over)
		if f := find(under, code); f != nil {
			t.Errorf("%s: raised within its bound: %+v", test.name, *f)
		}
		f := find(over, code)
		if f == nil {
			t.Errorf("%s: %s is not raised; there are %+v", test.name, code, over.Flags)
			continue
		}
		if f.Level != level || f.Advice == "" || f.Unit == "" || f.Figure == f.Bound {
			t.Errorf("%s: %+v, want level %s", test.name, *f, level)
		}
		if over.Valid() != (level == record.Warn) {
			t.Errorf("%s: valid is %v", test.name, over.Valid())
		}
	}
}

func find(t *record.Trial, code string) *record.Flag {
	for i := range t.Flags {
		if t.Flags[i].Code == code {
			return &t.Flags[i]
		}
	}
	return nil
}

func TestASlipTailOfTooFewRequestsIsNotJudged(t *testing.T) {
	tr := open()
	latency(tr, "slip", func(l *record.Latency) { l.Count, l.P99 = 367, 5e6 })
	if Judge(tr); find(tr, "slip_high") != nil {
		t.Error("the maximum was taken for a p99")
	}
}

func TestOverloadWithholdsResponseTimesAndExplainsTheSlip(t *testing.T) {
	tr := open()
	tr.ThroughputRPS = 5_000
	latency(tr, "slip", func(l *record.Latency) { l.P50, l.P99 = 500e6, 900e6 })
	Judge(tr)
	if _, ok := tr.LatencyNS["response"]; ok {
		t.Error("percentiles that tell the length of the window")
	}
	if _, ok := tr.LatencyNS["service"]; !ok {
		t.Error("service time was withheld too")
	}
	if find(tr, "slip_high") != nil {
		t.Errorf("flags %+v", tr.Flags)
	}
}

func TestTheAdviceOfAMissedRateDependsOnTheGeneratorsCPU(t *testing.T) {
	busy, idle := open(), open()
	busy.Sent, idle.Sent = 20_000, 20_000
	busy.CPU.ClientUtil = 0.99
	Judge(busy)
	Judge(idle)
	if b, i := find(busy, "rate_missed").Advice, find(idle, "rate_missed").Advice; !strings.Contains(b, "client-cpus") || !strings.Contains(i, "free connection") {
		t.Errorf("busy: %s; idle: %s", b, i)
	}
}

func TestJudgingTwiceChangesNothing(t *testing.T) {
	tr := open()
	tr.ThroughputRPS, tr.Unanswered = 5_000, 3
	Judge(tr)
	first := fmt.Sprint(tr.Flags, tr.LatencyNS)
	if Judge(tr); fmt.Sprint(tr.Flags, tr.LatencyNS) != first {
		t.Errorf("first %s, then %v %v", first, tr.Flags, tr.LatencyNS)
	}
}

func TestPercentilesThatTooFewSamplesSupportAreAbsent(t *testing.T) {
	full := record.Latency{P50: 1, P90: 2, P99: 3, P999: 4, P9999: 5, Max: 6, Mean: 7}
	for count, want := range map[int64]record.Latency{
		5:      {Max: 6, Mean: 7, Count: 5},
		6:      {P50: 1, Max: 6, Mean: 7, Count: 6},
		367:    {P50: 1, P90: 2, Max: 6, Mean: 7, Count: 367},
		368:    {P50: 1, P90: 2, P99: 3, Max: 6, Mean: 7, Count: 368},
		3_688:  {P50: 1, P90: 2, P99: 3, P999: 4, Max: 6, Mean: 7, Count: 3_688},
		36_887: {P50: 1, P90: 2, P99: 3, P999: 4, P9999: 5, Max: 6, Mean: 7, Count: 36_887},
	} {
		l := full
		l.Count = count
		if diff := cmp.Diff(want, Thin(l)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestTheCPUsOfATrialAreListedOnce(t *testing.T) {
	tr := &record.Trial{Point: record.Point{Params: map[string]any{"server-cpus": "0-1", "client-cpus": "1-2"}}}
	if got := CPUs(tr); !slices.Equal(got, []int{0, 1, 2}) {
		t.Errorf("got %v", got)
	}
	if got := CPUs(&record.Trial{}); got != nil {
		t.Errorf("of none: %v", got)
	}
}

func TestPercentilesOfAClassAreWithheldLikeThoseOfTheTrial(t *testing.T) {
	tr := open()
	l := record.Latency{P50: 1, P90: 2, P99: 3, Max: 4, Mean: 2, Count: 40}
	tr.Classes = map[string]record.Class{"hog": {Requests: 40, LatencyNS: map[string]record.Latency{"response": l, "service": l}}}
	Judge(tr)
	if got := tr.Classes["hog"].LatencyNS["response"]; got.P99 != 0 || got.P90 != 2 {
		t.Errorf("p99 of 40 requests: %+v", got)
	}
	tr.ThroughputRPS = 5_000
	Judge(tr)
	if _, ok := tr.Classes["hog"].LatencyNS["response"]; ok {
		t.Error("overloaded, and the response times of a class are still there")
	}
	if _, ok := tr.Classes["hog"].LatencyNS["service"]; !ok {
		t.Error("overloaded, and the service times of a class are gone")
	}
}
