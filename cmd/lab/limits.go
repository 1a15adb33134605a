package main

import (
	"time"

	"github.com/spf13/cobra"

	"turnlab/harness/plan"
	"turnlab/harness/run"
	"turnlab/internal/misuse"
	"turnlab/internal/option"
)

// limitFlags say how well a run is to know its figures, and how long it may take.
type limitFlags struct {
	aa        string
	precision string
	budget    time.Duration
	retries   int
}

// maxRetries bounds --retries: a machine that is disturbed for so long stays so.
const maxRetries = 10

var precisionOption = option.Option{Name: "--precision", Kind: option.Float, Min: 0, Max: 0.99}

func (f *limitFlags) add(c *cobra.Command, aa string) {
	c.Flags().StringVar(&f.aa, "aa", aa, "on: measure the first engine twice in each block; what it shows against itself is the noise")
	c.Flags().StringVar(&f.precision, "precision", "3%", "from 6 blocks on, stop when every median of CPU per request is known to this share; 0: never")
	c.Flags().IntVar(&f.retries, "retries", run.DefaultRetries, "how often a trial that other programs or guests disturbed is made again, in its block")
	c.Flags().DurationVar(&f.budget, "budget", 0, "time for the whole run, such as 30m: blocks, and then searches and timelines, that would not fit are left out; 0: none")
}

// apply sets what the flags say. What was not given stays as the suite has it.
func (f *limitFlags) apply(c *cobra.Command, s *plan.Sweep) error {
	if c.Flags().Changed("aa") {
		if f.aa != "on" && f.aa != "off" {
			return misuse.Errorf("--aa %s: write on or off", f.aa)
		}
		s.AA = f.aa == "on"
	}
	s.Precision = run.DefaultPrecision
	if c.Flags().Changed("precision") {
		v, err := precisionOption.Parse(f.precision)
		if err != nil {
			return misuse.Errorf("%w", err)
		}
		s.Precision = v.Float()
	}
	if err := checkRetries(f.retries); err != nil {
		return err
	}
	s.Budget, s.Retries = f.budget, f.retries
	return nil
}

func checkRetries(n int) error {
	if n < 0 || n > maxRetries {
		return misuse.Errorf("--retries %d: it takes 0 to %d", n, maxRetries)
	}
	return nil
}
