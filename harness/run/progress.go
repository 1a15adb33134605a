package run

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"turnlab/harness/plan"
	"turnlab/harness/record"
)

// progress says what runs now, how much is done and how long it will take: as a bar on a terminal, as a line every ten
// seconds elsewhere, and not at all when nobody wants to know.
//
// It speaks only between trials. A clock that ticked during a window would be a process that wakes on the generator's CPU.
type progress struct {
	out       io.Writer
	bar       *progressbar.ProgressBar // nil without a terminal
	jobs      []plan.Job
	finished  int
	announced int // trials that will be made again and are not among the jobs, see more
	again     int // those that were; the estimate does not know them
	started   time.Time
	lastLog   time.Time
}

// logEvery is the pause between two lines in a log.
const logEvery = 10 * time.Second

func newProgress(o Options, jobs []plan.Job) *progress {
	p := &progress{out: o.Stderr, jobs: jobs, started: time.Now()}
	if o.Quiet || p.out == nil {
		p.out = io.Discard
		return p
	}
	if file, ok := p.out.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		p.bar = newBar(p.out, len(jobs))
		return p
	}
	fmt.Fprintf(p.out, "%d trials, about %v\n", len(jobs), plan.Estimate(jobs).Round(time.Second))
	return p
}

func newBar(out io.Writer, trials int) *progressbar.ProgressBar {
	return progressbar.NewOptions(trials,
		progressbar.OptionSetWriter(out),
		progressbar.OptionSetWidth(12),
		progressbar.OptionShowCount(),
		progressbar.OptionSetElapsedTime(false),
		progressbar.OptionSetPredictTime(false), // the plan knows better than the mean of what was
		progressbar.OptionUseANSICodes(true),
		progressbar.OptionClearOnFinish(),
	)
}

// begin says what runs now.
func (p *progress) begin(j plan.Job) {
	if p.bar != nil {
		p.bar.Describe(fmt.Sprintf("%-32.32s %8s left", describe(j.Point), p.left()))
	}
}

// more says that n trials will be made again now.
func (p *progress) more(n int) {
	p.announced = n
	if n > 0 && p.bar == nil {
		p.line(fmt.Sprintf("others used the CPUs of %d trials of this block: once more", n))
	}
}

// done takes a trial off the list. A failure is always told, and at once.
func (p *progress) done(t *record.Trial) {
	if p.announced > 0 {
		p.announced--
		p.again++
	} else {
		p.finished++
		if p.bar != nil {
			_ = p.bar.Add(1)
		}
	}
	if t.Failed != "" {
		first, _, _ := strings.Cut(t.Failed, "\n")
		p.line(fmt.Sprintf("failed: %s: %s", describe(t.Point), first))
	}
	if p.bar == nil && time.Since(p.lastLog) >= logEvery {
		p.lastLog = time.Now()
		p.line(fmt.Sprintf("%d of %d trials done, %s left; last: %s", p.finished, len(p.jobs), p.left(), describe(t.Point)))
	}
}

// line writes a line that stays.
func (p *progress) line(text string) {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
	fmt.Fprintln(p.out, text)
	if p.bar != nil {
		_ = p.bar.RenderBlank()
	}
}

// left estimates the remaining time from the plan, corrected by how long the trials so far took in comparison to it.
func (p *progress) left() string {
	rest := float64(plan.Estimate(p.jobs[p.finished:]))
	if p.finished > 0 {
		rest *= float64(time.Since(p.started)) / float64(plan.Estimate(p.jobs[:p.finished]))
	}
	return time.Duration(rest).Round(time.Second).String()
}

func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Clear()
		return
	}
	text := fmt.Sprintf("%d of %d trials done", p.finished, len(p.jobs))
	if p.again > 0 {
		text += fmt.Sprintf(", %d made again", p.again)
	}
	fmt.Fprintf(p.out, "%s in %v\n", text, time.Since(p.started).Round(time.Second))
}

// describe names a point in a few words.
func describe(p record.Point) string {
	if p.Mode == record.Primitive {
		return fmt.Sprintf("%s %s", p.Label(), p.Workload)
	}
	text := fmt.Sprintf("%s %s %s conns", p.Label(), p.Workload, p.Text("conns"))
	if p.Mode == record.Open {
		text += " " + p.Text("rate") + "/s"
	}
	return text
}
