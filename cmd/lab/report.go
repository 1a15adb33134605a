package main

import (
	"github.com/spf13/cobra"

	"turnlab/internal/misuse"
)

func reportCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "report DIR",
		Short: "Make charts, page and exports again from a run's records",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return misuse.Errorf("report takes one folder: lab report results/quick-...")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			return writeReport(c.OutOrStdout(), args[0])
		},
	}
}
