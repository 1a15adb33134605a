package main

import (
	"github.com/spf13/cobra"

	"turnlab/harness/load"
	"turnlab/harness/server"
)

// childExit carries the exit code of a child's main loop, which has told its parent everything over the control pipe.
type childExit int

func (childExit) Error() string { return "child ended" }

// childCommand is what the harness starts; users have serve and load.
func childCommand() *cobra.Command {
	child := &cobra.Command{Use: "child", Hidden: true, Short: "Started by the harness"}
	child.AddCommand(
		&cobra.Command{Use: "serve", Args: noArguments, RunE: func(c *cobra.Command, _ []string) error {
			return ended(server.Main(c.InOrStdin(), c.OutOrStdout()))
		}},
		&cobra.Command{Use: "load", Args: noArguments, RunE: func(c *cobra.Command, _ []string) error {
			return ended(load.Main(c.InOrStdin(), c.OutOrStdout()))
		}},
		&cobra.Command{Use: "null", Args: noArguments, RunE: func(c *cobra.Command, _ []string) error {
			return ended(load.NullMain(c.InOrStdin(), c.OutOrStdout()))
		}},
		microChild(),
	)
	return child
}

func ended(code int) error {
	if code == 0 {
		return nil
	}
	return childExit(code)
}
