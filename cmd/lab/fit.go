package main

import (
	"github.com/spf13/cobra"

	"turnlab/harness/fit"
	"turnlab/harness/record"
	"turnlab/internal/misuse"
)

func fitCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "fit RUN",
		Short: "Fit the Universal Scalability Law to a run's closed-loop sweeps",
		Long: "Fit the Universal Scalability Law to each engine's closed-loop sweep over connections: contention, coherency\n" +
			"and the peak, with intervals by a bootstrap over blocks.",
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
			curves, notes, err := fit.Run(folder)
			if err != nil {
				return err
			}
			return fit.Print(c.OutOrStdout(), curves, notes)
		},
	}
}
