package main

import (
	"github.com/spf13/cobra"

	"turnlab/harness/proc"
	"turnlab/harness/suite"
)

func benchCommand() *cobra.Command {
	var out outFlags
	var seed uint64
	var limits limitFlags
	c := &cobra.Command{
		Use:   "bench [SUITE]",
		Short: "Run a suite (quick or full) and write its report",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if out.resume {
				return resume(c, &out, nil)
			}
			name := "quick"
			if len(args) == 1 {
				name = args[0]
			}
			s, err := suite.Find(name)
			if err != nil {
				return err
			}
			catalog, err := catalogWith(nil)
			if err != nil {
				return err
			}
			s.Sweep.Seed = seed
			if err := limits.apply(c, &s.Sweep); err != nil {
				return err
			}
			p, err := s.Sweep.Resolve(catalog, proc.Allowed())
			if err != nil {
				return err
			}
			return execute(c, p, &out, name)
		},
	}
	c.Flags().Uint64Var(&seed, "seed", 1, "of the order of trials, of arrivals and of requests")
	limits.add(c, "the suite's")
	out.add(c)
	return c
}
