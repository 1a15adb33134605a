package main

import (
	"github.com/spf13/cobra"

	"turnlab/harness/fit"
	"turnlab/harness/record"
	"turnlab/internal/misuse"
)

func fitCommand() *cobra.Command {
	memory := false
	c := &cobra.Command{
		Use:   "fit RUN",
		Short: "Fit the Universal Scalability Law to a run's closed-loop sweeps, or a line to its memory",
		Long: "Fit the Universal Scalability Law to each engine's closed-loop sweep over connections: contention, coherency\n" +
			"and the peak, with intervals by a bootstrap over blocks. With --memory, fit a line to the memory of each\n" +
			"engine's sweep over connections, by kind: bytes per connection, and the base without one.",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return misuse.Errorf("fit takes one run: lab fit results/quick-...")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			folder, err := record.Load(args[0])
			if err != nil {
				return err
			}
			if memory {
				growths, err := fit.Memory(folder)
				if err != nil {
					return err
				}
				return fit.PrintMemory(c.OutOrStdout(), growths)
			}
			curves, notes, err := fit.Run(folder)
			if err != nil {
				return err
			}
			return fit.Print(c.OutOrStdout(), curves, notes)
		},
	}
	c.Flags().BoolVar(&memory, "memory", false, "bytes per connection, by kind of memory")
	return c
}
