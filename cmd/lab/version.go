package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"turnlab/harness/host"
)

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version, the commit and the Go version",
		Args:  noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(c.OutOrStdout(), host.Version())
			return err
		},
	}
}
