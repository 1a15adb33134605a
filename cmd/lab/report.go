package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"turnlab/engine/all"
	"turnlab/experiments"
	"turnlab/harness/record"
	"turnlab/internal/misuse"
	"turnlab/reports"
)

// reportFlags say what of a run is shown, in which form and where.
type reportFlags struct {
	experiments []string
	formats     []string
	out         string
	open        bool
}

func reportCommand() *cobra.Command {
	var f reportFlags
	c := &cobra.Command{
		Use:   "report DIR [DIR2]",
		Short: "Make charts, page and exports again from a run's records, or put two runs side by side",
		Long: "Make charts, page and exports again from a run's records. With a second run, one page shows both: each engine\n" +
			"twice, on the same axes, with the ratio of the second run to the first at every point.",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 1 || len(args) > 2 {
				return misuse.Errorf("report takes one folder, or two to put side by side: lab report results/quick-...")
			}
			return f.check()
		},
		RunE: func(c *cobra.Command, args []string) error {
			page, err := f.write(c.OutOrStdout(), args)
			if err != nil || !f.open {
				return err
			}
			return openPage(c.Context(), page)
		},
	}
	c.Flags().StringSliceVar(&f.experiments, "experiment", nil, "show only these experiments of the run, in a folder of their own")
	c.Flags().StringSliceVar(&f.formats, "format", nil, "what to make: "+strings.Join(reports.Formats, ", ")+" (default html,png,svg)")
	c.Flags().StringVar(&f.out, "out", "", "folder to write to (default: the run's; for a part or two runs, a folder in the last run's)")
	c.Flags().BoolVar(&f.open, "open", false, "open the page in a browser")
	return c
}

// writeReport makes everything that is made from the records, and prints the medians and the path of the page, which
// comes last so that a script can take it.
func writeReport(w io.Writer, dir string) error {
	_, err := (&reportFlags{}).write(w, []string{dir})
	return err
}

func (f *reportFlags) check() error {
	for _, format := range f.formats {
		if !slices.Contains(reports.Formats, format) {
			return misuse.Errorf("no format %q; there are: %s", format, strings.Join(reports.Formats, ", "))
		}
	}
	if f.open && f.formats != nil && !slices.Contains(f.formats, reports.HTML) {
		return misuse.Errorf("--open needs a page: add html to --format")
	}
	return nil
}

// write makes the report and returns the path of the page.
func (f *reportFlags) write(w io.Writer, dirs []string) (string, error) {
	if len(dirs) == 1 {
		alone, err := timelinesAlone(dirs[0])
		if err != nil {
			return "", err
		}
		if alone != nil {
			return f.timelines(w, dirs[0], alone)
		}
	}
	var folders []*record.Folder
	for _, dir := range dirs {
		folder, err := record.Load(dir)
		if err != nil {
			return "", err
		}
		folder.Run.Notes = append(folder.Run.Notes, folder.Notes...)
		if err := keepExperiments(folder, f.experiments); err != nil {
			return "", err
		}
		folders = append(folders, folder)
	}
	if len(folders) == 2 {
		return f.both(w, folders[0], folders[1])
	}
	return f.one(w, folders[0])
}

func (f *reportFlags) one(w io.Writer, folder *record.Folder) (string, error) {
	out := folder.Dir
	if f.experiments != nil {
		out = filepath.Join(folder.Dir, "report-"+strings.Join(f.experiments, "-"))
	} else if err := folder.Export(); err != nil {
		return "", err
	}
	shown := reports.Options{
		Experiments: experiments.Declared(&folder.Run), Findings: experiments.Findings(&folder.Run, folder.Trials), Sources: sources(),
		Formats: f.formats,
	}
	var err error
	if shown.Timelines, err = record.LoadTimelines(folder.Dir); err != nil {
		return "", err
	}
	return f.print(w, &folder.Run, folder.Trials, out, shown)
}

// sources are the engines' own code, for those who read why one is as it is.
func sources() []reports.Source {
	var list []reports.Source
	for _, s := range all.Specs {
		if s.Sources != nil {
			list = append(list, reports.Source{Label: s.Label(), Files: s.Sources})
		}
	}
	return list
}

// both shows two runs side by side.
func (f *reportFlags) both(w io.Writer, a, b *record.Folder) (string, error) {
	if a.Run.ID == b.Run.ID {
		return "", misuse.Errorf("%s and %s are the same run: name two", a.Dir, b.Dir)
	}
	names := [2]string{filepath.Base(filepath.Clean(a.Dir)), filepath.Base(filepath.Clean(b.Dir))}
	if names[0] == names[1] {
		names = [2]string{a.Run.ID, b.Run.ID}
	}
	run, trials := reports.Together(a, b, names)
	if !sharePoint(&a.Run, &b.Run) {
		run.Notes = append(run.Notes, "the runs share no point: no engine was measured under the same load in both, so there is no ratio")
	}
	shown := reports.Options{Runs: names[:], Formats: f.formats}
	return f.print(w, run, trials, filepath.Join(b.Dir, "against-"+names[0]), shown)
}

// sharePoint reports whether two runs measured some engine under the same load. The experiment that asked does not matter.
func sharePoint(a, b *record.Run) bool {
	seen := map[string]bool{}
	key := func(p record.Point) string {
		p.Experiment = ""
		return p.Label() + " " + p.SameLoad()
	}
	for _, p := range a.Plan {
		seen[key(p)] = true
	}
	return slices.ContainsFunc(b.Plan, func(p record.Point) bool { return seen[key(p)] })
}

// print writes the report's files, its summary, and last its path.
func (f *reportFlags) print(w io.Writer, run *record.Run, trials []record.Trial, dir string, shown reports.Options) (string, error) {
	if f.out != "" {
		dir = f.out
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", misuse.Errorf("cannot write to %s: %v", dir, err)
	}
	_, missing := os.Stat(filepath.Join(dir, "trials.jsonl"))
	shown.Apart = missing != nil
	page, err := reports.Write(run, trials, dir, shown)
	if err != nil {
		return "", err
	}
	if err := reports.Terminal(w, run, trials, reports.TerminalOptions{Color: reports.WantsColor(w), Options: shown}); err != nil {
		return "", err
	}
	_, err = fmt.Fprintf(w, "\n%s\n", page)
	return page, err
}

// keepExperiments leaves of a run only what belongs to the experiments that are named; without names, all.
func keepExperiments(f *record.Folder, names []string) error {
	var have []string
	for _, p := range f.Run.Plan {
		if p.Experiment != "" && !slices.Contains(have, p.Experiment) {
			have = append(have, p.Experiment)
		}
	}
	for _, name := range names {
		if !slices.Contains(have, name) {
			if have == nil {
				return misuse.Errorf("%s has no experiments; leave --experiment away", f.Dir)
			}
			return misuse.Errorf("%s has no experiment %q; it has: %s", f.Dir, name, strings.Join(have, ", "))
		}
	}
	if names == nil {
		return nil
	}
	f.Run.Order = nil // its indices are of the whole plan
	f.Run.Plan = slices.DeleteFunc(f.Run.Plan, func(p record.Point) bool { return !slices.Contains(names, p.Experiment) })
	f.Trials = slices.DeleteFunc(f.Trials, func(t record.Trial) bool { return !slices.Contains(names, t.Experiment) })
	return nil
}

// openPatience bounds the wait for the program that hands a page to a browser.
const openPatience = 10 * time.Second

// openPage shows a page with whatever the desktop opens pages with.
func openPage(ctx context.Context, page string) error {
	path, err := filepath.Abs(page)
	if err != nil {
		return fmt.Errorf("open %s: %w", page, err)
	}
	opener, err := exec.LookPath("xdg-open")
	if err != nil {
		return misuse.Errorf("there is no xdg-open here to open a page with: open %s yourself", path)
	}
	ctx, stop := context.WithTimeout(ctx, openPatience)
	defer stop()
	if err := exec.CommandContext(ctx, opener, path).Run(); err != nil {
		return misuse.Errorf("xdg-open could not open the page (%v): open %s yourself", err, path)
	}
	return nil
}
