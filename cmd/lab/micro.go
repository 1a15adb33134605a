package main

import (
	"github.com/spf13/cobra"

	"turnlab/harness/micro"
)

// microChild measures one operation of an engine for the harness; users have sweep --operation.
func microChild() *cobra.Command {
	return &cobra.Command{Use: "micro", Args: noArguments, RunE: func(c *cobra.Command, _ []string) error {
		return ended(micro.Main(c.InOrStdin(), c.OutOrStdout()))
	}}
}
