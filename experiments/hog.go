package experiments

import (
	"fmt"
	"slices"
	"time"

	"turnlab/harness/plan"
	"turnlab/harness/record"
	"turnlab/reports"
	"turnlab/reports/digest"
	"turnlab/reports/unit"
)

// The load of the hog experiment: so much of one CPU's time is asked for in every cell. At a quarter a hog seldom meets
// another, so what an innocent waits for is one hog and not a queue of them: theory (M/D/1) puts the p99 of a server that
// never interrupts at 1.4 bursts. hogBase is what a request costs besides computing, about.
const (
	hogLoad = 0.25
	hogBase = 20 * time.Microsecond
)

// A hogCell is one combination of how many requests compute and how long.
type hogCell struct {
	share float64
	burst time.Duration
}

// rate returns the requests per second that ask for hogLoad. A burst is calibrated work, so no probe is needed, and all
// engines meet the same arrivals. Without hogs it is the rate of the cell that findings speak of, to compare with.
func (c hogCell) rate() float64 {
	if c.share == 0 {
		c = hogShown
	}
	return round2(hogLoad / (c.share*c.burst.Seconds() + hogBase.Seconds()))
}

// window returns how long a trial of the cell takes: long enough for 450 requests, which a p99 of the innocents needs, and
// for eight hogs, so that no trial hangs on one.
func (c hogCell) window(least time.Duration) time.Duration {
	longest := 450 / c.rate()
	if c.share > 0 {
		longest = max(longest, 8/(c.rate()*c.share))
	}
	return max(least, time.Duration(longest*float64(time.Second)))
}

func (c hogCell) axes(least time.Duration) []string {
	return []string{
		"hog.share", number(c.share), "hog.burst", c.burst.String(), "rate", number(c.rate()),
		"conns", "256", "warmup", "200ms", "duration", seconds(c.window(least)),
	}
}

// params are the cell's parameters as records have them.
func (c hogCell) params() map[string]any {
	return map[string]any{"hog.share": c.share, "hog.burst": c.burst.String()}
}

// The cells.
var (
	hogShown  = hogCell{0.01, 50 * time.Millisecond} // the one that findings speak of
	hogCalm   = hogCell{0, hogShown.burst}           // the same without anybody who computes
	quickHogs = []hogCell{
		hogCalm, {0.01, time.Millisecond}, {0.01, 10 * time.Millisecond}, hogShown, {0.05, 10 * time.Millisecond},
	}
)

// fullHogs crosses shares and bursts.
//
// Note: a row of rarer hogs (one request in 500) was left out: the load is held, so its hogs take nearly the same share of
// the CPU as these do, and an innocent meets one as often.
func fullHogs() []hogCell {
	cells := []hogCell{hogCalm}
	for _, share := range []float64{hogShown.share, 0.05} {
		for _, burst := range []time.Duration{100 * time.Microsecond, time.Millisecond, 10 * time.Millisecond, 50 * time.Millisecond} {
			cells = append(cells, hogCell{share, burst})
		}
	}
	return cells
}

// hogSweeps measures the engines as they come, coop with each of its two remedies, and, where one request in a hundred is a
// hog, what else an engine's user might turn: goroutines on more Ps than CPUs, so that the kernel takes part in deciding, and a
// pool of threads.
func hogSweeps(cells []hogCell, least time.Duration, full bool) []plan.Sweep {
	var sweeps []plan.Sweep
	for _, c := range cells {
		pairs := c.axes(least)
		if c.share == hogCalm.share || c.share == hogShown.share {
			sweeps = append(sweeps, sweep([]string{"preempt"}, "hog", append([]string{"preempt.procs", "2"}, pairs...)...))
			if full {
				sweeps = append(sweeps, sweep([]string{"threads/pool"}, "hog", pairs...))
			}
		}
		asTheyCome := sweep([]string{"coop", "preempt", "preempt/nopreempt", "threads"}, "hog", pairs...)
		asTheyCome.AA = full && c == hogShown
		sweeps = append(sweeps, asTheyCome,
			sweep([]string{"coop"}, "hog", append([]string{"coop.yield", "100us"}, pairs...)...),
			sweep([]string{"coop"}, "hog", append([]string{"coop.offload", "1"}, pairs...)...))
	}
	return sweeps
}

func fullHogSweeps() []plan.Sweep {
	sweeps := append(hogSweeps(fullHogs(), time.Second, true), quantumSweep(hogShown, time.Second))
	return append(sweeps, latenessSweeps(hogShown, time.Second)...)
}

// hogSeries are compared; the first is what the others are held against.
var hogSeries = []series{
	plainly("coop"), tuned("coop", "coop.yield", "100µs", "coop yield=100µs"), tuned("coop", "coop.offload", 1.0, "coop offload=1"),
	plainly("preempt"), tuned("preempt", "preempt.procs", 2.0, "preempt procs=2"), plainly("preempt/nopreempt"),
	plainly("threads"), plainly("threads/pool"),
}

// hogAnswers are the series that the title sets beside each other: the task decides, the runtime, the kernel.
var hogAnswers = []string{"coop", "preempt", "threads"}

// plain picks engines without the options that experiments turn.
func plain(labels ...string) where {
	return func(p record.Point) bool {
		return slices.ContainsFunc(labels, func(label string) bool { return plainly(label).is(p) })
	}
}

func hogged(p record.Point) bool { return p.Number("hog.share") > 0 && mainly(p) }

var hog = &Experiment{
	Experiment: reports.Experiment{
		Name:     "hog",
		Question: "What happens to everyone else when one task will not give up the CPU?",
		Held: "Every cell asks for a quarter of one CPU: the rarer and shorter the hogs, the more requests. All engines meet the " +
			"same arrivals of an open loop over 256 connections, and a burst is the same work under each. Innocents are the " +
			"requests that do not compute and were not sent behind one that does on their own connection.",
		Limits: "One server CPU: with more, a hog holds up only those that share its CPU. A hog computes; it does not sit in a " +
			"system call or hold a lock. At a quarter of capacity hogs seldom queue; at more load every figure here is larger.",
		Next: []string{
			"lab timeline --engine coop,preempt,threads --workload hog",
			"lab sweep --engine coop --workload hog --conns 256 --rate 480 --set hog.burst=50ms --set coop.yield=0,50us,1ms,10ms",
			"lab sweep --engine coop,preempt,threads --workload hog --conns 256 --rate 1000,1400 --set hog.burst=50ms",
		},
		Plots: []reports.Plot{
			{ID: "burst", Title: "p99 of innocents against the length of a burst", Kind: reports.Lines, Metrics: []string{"innocent-p99"},
				X: "hog.burst", Where: is("", map[string]any{"hog.share": 0.01}).and(mainly),
				Note: "One request in a hundred computes. A line along the diagonal is a server that waits for every hog. Goroutines can wait " +
					"for longer than their slice of 10 ms: Go's monitor (sysmon) sleeps for up to 10 ms between two looks, so a hog runs for 10 to " +
					"20 ms before it is interrupted (retake). It then stands in a run queue, and while anybody does, the scheduler (findRunnable) " +
					"does not ask the network. The monitor does, about every 10 ms, and puts who has input at the end of the queue " +
					"(injectglist), behind other hogs."},
			{ID: "innocents", Title: "What innocents wait at p99", Kind: reports.HeatMap, Metrics: []string{"innocent-p99"},
				X: "hog.burst", Y: "hog.share", Where: hogged,
				Note: "Read along a row: where colour grows with the burst, nobody interrupts the hog; where it stops growing, somebody does."},
			{ID: "timeline", Title: "Who ran when", Kind: reports.Gantt,
				Note: "One traced trial of each engine, never a timed one. Its arrivals were chosen for the picture: hogs come alone and two at a time."},
			{ID: "median", More: true, Title: "What half of the innocents wait", Kind: reports.HeatMap, Metrics: []string{"innocent-p50"},
				X: "hog.burst", Y: "hog.share", Where: hogged,
				Note: "The median hides a hog that the p99 shows: who watches medians alone does not see it."},
			{ID: "tail", More: true, Title: "p99.9 of innocents", Kind: reports.HeatMap, Metrics: []string{"innocent-p999"},
				X: "hog.burst", Y: "hog.share", Where: hogged, Note: "Cells with fewer than 3,688 innocents have no p99.9."},
			{ID: "longest", More: true, Title: "The longest wait of an innocent", Kind: reports.HeatMap, Metrics: []string{"innocent-max"},
				X: "hog.burst", Y: "hog.share", Where: hogged, Note: "A maximum grows with the number of requests; compare engines, not cells."},
			{ID: "hogs", More: true, Title: "What the hogs themselves wait", Kind: reports.HeatMap, Metrics: []string{"hog-p50"},
				X: "hog.burst", Y: "hog.share", Where: hogged, Note: "Who is interrupted ends later: that is what the others' gain costs a hog."},
			{ID: "cost", More: true, Title: "CPU per request", Kind: reports.Lines, Metrics: []string{"cpu"}, X: "hog.burst",
				Where: is("", map[string]any{"hog.share": 0.01}).and(mainly), Note: "The work is the same: what differs is interrupting, yielding and handing over."},
			{ID: "quantum", Title: "p99 of innocents against the quantum after which coop gives way", Kind: reports.Lines, Metrics: []string{"innocent-p99"},
				X: "coop.yield", Where: quantum, Note: "One request in a hundred computes for 50 ms. The shorter the quantum, the sooner the others have their turn."},
			{ID: "quantum-cost", More: true, Title: "CPU per request against that quantum", Kind: reports.Lines, Metrics: []string{"cpu"},
				X: "coop.yield", Where: quantum, Note: "What a shorter quantum costs: more polls, and more looks at the sockets."},
			{ID: "lateness", Title: "p99 of requests that wait for a timer of 1 ms beside hogs", Kind: reports.Bars, Metrics: []string{"timer-p99"},
				Where: late, Note: "What is above 1 ms is how late the request was read and how late it was woken."},
			{ID: "spectrum", Title: "Every percentile of the wait beside 50 ms hogs", Kind: reports.Spectra, Metrics: []string{"innocent-p99"},
				Where: is("", hogShown.params()).and(mainly),
				Note:  "One request in a hundred computes. Each mark to the right is ten times rarer: the later a line rises, the fewer had to wait."},
			{ID: "course", More: true, Title: "The course of one trial beside 50 ms hogs", Kind: reports.Course,
				Where: is("", hogShown.params()).and(mainly).and(plain("coop", "preempt", "threads")),
				Note: "Replies in each tenth of a second. Chance alone moves a point by about a seventh here; a deeper dip is a hog, and the rise " +
					"after it is those who had to wait."},
		},
		Findings: hogFindings,
	},
	Quick: &Measure{Sweeps: hogSweeps(quickHogs, time.Second, false), Blocks: quickBlocks, Timelines: []string{"coop", "preempt", "threads"}},
	Full:  &Measure{Sweeps: fullHogSweeps(), Blocks: fullBlocks, Timelines: []string{"coop", "preempt", "threads"}},
}

// hogFindings answer who suffered, by how much, and how engines differ in it.
func hogFindings(d *digest.Digest) []reports.Finding {
	v := viewOf(d, "hog")
	condition := fmt.Sprintf("%g %% of the requests computed for %s, %s requests/s in an open loop, a quarter of one CPU's time in all; CPU per request has the hogs' in it",
		100*hogShown.share, milliseconds(hogShown.burst), number(hogShown.rate()))
	var f findings
	f.add(v.beside(condition))
	if len(f) > 0 {
		f = append(f, reports.Finding{
			Level: reports.Limit, Title: "Not measured: several server CPUs, more load, hogs that hold a lock or sit in a system call",
			Text: sentences("To be expected: with more CPUs a hog holds up those that share its own; with more load hogs meet, and every wait grows.", v.lost()),
		})
	}
	return f
}

// beside answers the question in one table: what innocents waited beside hogs and without, under each engine, how that compares
// with coop, where nobody interrupts, and what it cost hogs and server. Growths and comparisons are a family each.
func (v view) beside(condition string) (reports.Finding, bool) {
	m := metric("innocent-p99")
	shown, calm := is("", hogShown.params()).and(mainly), is("", hogCalm.params()).and(mainly)
	var b besides
	var missing []string
	for _, s := range hogSeries {
		read := func(at where, id string) measure { return values(s.name, v.trials, s.is.and(at), metric(id)) }
		x := read(shown, m.ID)
		if len(x.byBlock) == 0 {
			missing = v.missed(missing, s, shown)
			continue
		}
		b.hogged, b.quiet = append(b.hogged, x), append(b.quiet, read(calm, m.ID))
		b.cpu, b.hogs = append(b.cpu, read(shown, "cpu")), append(b.hogs, read(shown, "hog-p50"))
	}
	if len(b.hogged) < 2 {
		return reports.Finding{}, false
	}
	b.noise = v.noise(hogSeries, shown, m)
	b.compare()
	return b.finding(m.Unit, condition, missing)
}

// besides are the figures of the table, by series.
type besides struct {
	hogged, quiet  []measure
	cpu, hogs      []measure // what a request cost the server, and what a hog waited at the median
	grown, against []duel
	noise          noise
}

// compare holds each series against itself without hogs, and against coop.
func (b *besides) compare() {
	var grown, against [][2]measure
	for i, x := range b.hogged {
		grown = append(grown, [2]measure{x, b.quiet[i]})
		if i > 0 && b.hogged[0].name == hogSeries[0].name {
			against = append(against, [2]measure{x, b.hogged[0]})
		}
	}
	b.grown, b.against = duels(grown, b.noise.floor), duels(against, b.noise.floor)
}

func (b besides) finding(u unit.Unit, condition string, missing []string) (reports.Finding, bool) {
	all := append(slices.Clone(b.grown), b.against...)
	if len(all) == 0 {
		return reports.Finding{}, false
	}
	f := reports.Finding{
		Level: level(all), Charts: []string{"innocents", "burst"}, Title: b.title(u),
		Columns: []string{"p99", "no hogs", "× coop", "CPU/req", "hog p50"},
		Text:    sentences(b.growths(), list("Fewer trials stand behind the p99 without hogs", b.scarcer()), evidence(all, b.noise, condition, missing)),
	}
	for i, x := range b.hogged {
		ratio, verdict := held(b.against, x, x.name == hogSeries[0].name)
		f.Rows = append(f.Rows, row(x, verdict, x.cell(u), b.quiet[i].cell(u), ratio, brief(b.cpu[i], u), brief(b.hogs[i], u)))
	}
	counted(&f, 1, behind(b.hogged))
	return f, true
}

// brief is the median alone: a figure that explains, and that is compared with nothing, leaves the table its width.
func brief(m measure, u unit.Unit) reports.FindingCell {
	c := m.cell(u)
	c.Spread = ""
	return c
}

// title sets the three answers to the question beside each other, as their engines come; variants are in the table. Where there are
// not two of them it names the extremes of what there is.
func (b besides) title(u unit.Unit) string {
	asTheyCome := func(name string) bool { return slices.Contains(hogAnswers, name) }
	answers := slices.DeleteFunc(slices.Clone(b.hogged), func(m measure) bool { return !asTheyCome(m.name) })
	title := "Beside " + milliseconds(hogShown.burst) + " hogs, innocents' p99"
	if len(answers) < 2 {
		return title + " was " + extremes(figuresOf(b.hogged, ""), u, "", level(append(slices.Clone(b.grown), b.against...)))
	}
	told := slices.DeleteFunc(slices.Clone(b.against), func(d duel) bool { return !asTheyCome(d.a.name) })
	return title + ": " + everyone(figuresOf(answers, ""), u, level(told))
}

// scarcer says where fewer trials without hogs count than with them.
func (b besides) scarcer() (names []string) {
	for i, x := range b.quiet {
		if n := len(x.byBlock); n < len(b.hogged[i].byBlock) {
			names = append(names, fmt.Sprintf("%s (%d)", b.hogged[i].name, n))
		}
	}
	return names
}

// growths says which engines were told from themselves without hogs; the table's verdict is about coop.
func (b besides) growths() string {
	var told, seen []string
	for _, d := range b.grown {
		switch {
		case d.claimed():
			told = append(told, d.a.name)
		case d.seen():
			seen = append(seen, d.a.name)
		}
	}
	return sentences(list("Told from the same engine without hogs", told), list("Seen far from the same engine without hogs", seen))
}
