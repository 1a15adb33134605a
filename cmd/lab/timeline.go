package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"turnlab/harness/host"
	"turnlab/harness/plan"
	"turnlab/harness/proc"
	"turnlab/harness/record"
	"turnlab/harness/run"
	"turnlab/harness/timeline"
	"turnlab/internal/misuse"
	"turnlab/reports"
)

// timelineFlags are the flags of a picture: of the load's parameters those that it has.
var timelineFlags = []string{"conns", "rate", "arrivals", "warmup", "duration", "transport"}

func timelineCommand() *cobra.Command {
	var points pointFlags
	var out string
	c := &cobra.Command{
		Use:   "timeline",
		Short: "Show who ran when, in one short traced trial per engine",
		Long: "Trace one short trial per engine and draw who ran when: a row for each connection, with the time that it ran,\n" +
			"the time that it was ready and did not, and its requests. Tracing costs time, so nothing here is a measurement.\n" +
			"DIR gets report.html, the drawings, and a trace for each engine that ui.perfetto.dev opens.",
		Example: "  lab timeline --engine coop,preempt\n" +
			"  lab timeline --engine threads --workload http --conns 8 --rate 1000 --duration 50ms",
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			p, err := points.timelinePlan(c)
			if err != nil {
				return err
			}
			if out == "" {
				out = run.DefaultDir("timeline")
			}
			return makeTimelines(c, p, out)
		},
	}
	c.Flags().StringSliceVar(&points.engines, "engine", []string{"coop", "preempt", "threads"}, "engines with a task for each connection (see lab list)")
	c.Flags().StringSliceVar(&points.workloads, "workload", []string{"hog"}, "workloads (see lab list)")
	points.addTimeline(c)
	c.Flags().Lookup("rate").Usage = "requests per second over all connections, above 0: a picture is of an open loop"
	c.Flags().StringVar(&points.serverCPUs, "server-cpus", "", "CPUs of the server, such as 0 or 0-3 (default: the first half)")
	c.Flags().StringVar(&points.clientCPUs, "client-cpus", "", "CPUs of the client (default: the others)")
	c.Flags().StringVar(&out, "out", "", "folder of the timelines; it must not exist (default results/timeline-TIME)")
	return c
}

// addTimeline adds the flags of the load that a picture has, with its own defaults.
func (f *pointFlags) addTimeline(c *cobra.Command) {
	own := map[string]string{}
	for _, a := range timeline.Sweep(nil).Axes {
		own[a.Name] = a.Values
	}
	f.load = map[string]*string{}
	for _, o := range plan.Load {
		if !slices.Contains(timelineFlags, o.Name) {
			continue
		}
		value := o.Default
		if v, ok := own[o.Name]; ok {
			value = v
		}
		f.load[o.Name] = c.Flags().String(o.Name, value, o.Help)
	}
	c.Flags().StringVar(&f.payload, "payload", "", "size of the workload's messages, such as 64 or 1k (default: the workload's)")
	c.Flags().Uint64Var(&f.seed, "seed", timeline.Sweep(nil).Seed, "of arrivals and of requests")
	f.addSet(c)
}

// timelinePlan takes what was not given from the picture that the lab draws by itself, as far as it applies.
func (f *pointFlags) timelinePlan(c *cobra.Command) (*plan.Plan, error) {
	f.blocks = 1
	if err := f.refuseShares(c); err != nil {
		return nil, err
	}
	s, err := f.sweep(c)
	if err != nil {
		return nil, err
	}
	given := map[string]bool{}
	for _, a := range s.Axes {
		given[strings.Replace(a.Name, "engine.", "coop.", 1)] = true
	}
	for _, a := range timeline.Sweep(f.engines).Axes {
		owner, _, owned := strings.Cut(a.Name, ".")
		applies := !owned || slices.Contains(f.workloads, owner) || slices.Contains(f.engines, owner)
		if applies && !given[a.Name] {
			s.Axes = append(s.Axes, a)
		}
	}
	catalog, err := catalogWith(nil)
	if err != nil {
		return nil, err
	}
	return s.Resolve(catalog, proc.Allowed())
}

// makeTimelines records the timelines of a plan into a new folder and draws them. After an error the folder is taken back: half
// a picture is none, and what is left of it would stand in the way of the next try.
func makeTimelines(c *cobra.Command, p *plan.Plan, dir string) error {
	if err := timeline.Check(p); err != nil {
		return err
	}
	if err := newFolder(dir); err != nil {
		return err
	}
	if err := fillFolder(c, p, dir); err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	return nil
}

// fillFolder records the timelines of a plan, says what each shows, and draws them.
func fillFolder(c *cobra.Command, p *plan.Plan, dir string) error {
	about := record.Run{Version: host.Version(), Command: os.Args, StartedUnix: time.Now().UnixNano(), Host: host.Describe()}
	about.Host.ServerCPUs, about.Host.ClientCPUs = p.ServerCPUs.String(), p.ClientCPUs.String()
	made, err := timeline.Record(c.Context(), p, timeline.Options{Dir: dir, Told: func(t *record.Timeline) {
		fmt.Fprintln(c.OutOrStdout(), timeline.Sentence(t))
	}})
	if err != nil {
		return err
	}
	if err := record.SaveAbout(dir, &about); err != nil {
		return err
	}
	page, err := reports.WriteTimelines(&about, made, dir)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.OutOrStdout(), "\n%s\n", page)
	return err
}

// timelinesAlone returns the timelines of a folder that holds them and no run.
func timelinesAlone(dir string) ([]record.Timeline, error) {
	if record.HoldsRun(dir) {
		return nil, nil
	}
	return record.LoadTimelines(dir)
}

// timelines draws the timelines of a folder without a run again, and returns the path of the page.
func (f *reportFlags) timelines(w io.Writer, dir string, made []record.Timeline) (string, error) {
	switch {
	case f.experiments != nil:
		return "", misuse.Errorf("%s holds timelines and no run, so it has no experiments: leave --experiment away", dir)
	case slices.Contains(f.formats, reports.MarkdownMD):
		return "", misuse.Errorf("%s holds timelines and no run, so it has no tables for Markdown: leave md out of --format", dir)
	}
	about, err := record.LoadAbout(dir)
	if err != nil {
		return "", err
	}
	out := cmp.Or(f.out, dir)
	if err := os.MkdirAll(out, 0o755); err != nil {
		return "", misuse.Errorf("cannot write to %s: %v", out, err)
	}
	for i := range made {
		fmt.Fprintln(w, timeline.Sentence(&made[i]))
	}
	page, err := reports.WriteTimelines(about, made, out, f.formats...)
	if err != nil {
		return "", err
	}
	_, err = fmt.Fprintf(w, "\n%s\n", page)
	return page, err
}

// newFolder makes a folder, which must not exist: what lies in one would pass for part of what is drawn now.
func newFolder(dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return misuse.Errorf("make the folder %s: %w", dir, err)
	}
	err := os.Mkdir(dir, 0o755)
	if errors.Is(err, fs.ErrExist) {
		return misuse.Errorf("%s exists: name a new folder with --out", dir)
	}
	if err != nil {
		return misuse.Errorf("make the folder %s: %w", dir, err)
	}
	return nil
}
