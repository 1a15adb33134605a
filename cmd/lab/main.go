// Lab measures who should decide when a task gives up the CPU.
//
// Each file of this package is one command: it reads flags, calls the package that does the work and prints what comes
// back. Exit codes: 0 done; 1 something failed, or a trial of lab load is invalid; 2 the command line asks for something that
// cannot be (one line on standard error says what to do); 3 a comparison found a proven regression; 130 interrupted, with what
// was done kept.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"turnlab/harness/run"
	"turnlab/internal/misuse"
)

// Exit codes.
const (
	exitFailed      = 1
	exitMisuse      = 2
	exitRegressed   = 3
	exitInterrupted = 130
)

func main() { os.Exit(Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// Main runs one command line and returns its exit code.
func Main(args []string, in io.Reader, out, errs io.Writer) (code int) {
	defer func() {
		if r := recover(); r != nil {
			fmt.Fprintf(errs, "lab: internal error, please report it with the command line: %v\n", r)
			code = exitFailed
		}
	}()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// Whoever asks a second time wants the process to end, whatever it is at.
	context.AfterFunc(ctx, stop)
	root := rootCommand()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errs)
	err := root.ExecuteContext(ctx)
	if err != nil && ctx.Err() != nil && !errors.Is(err, run.ErrInterrupted) {
		err = fmt.Errorf("%w: %w", run.ErrInterrupted, err)
	}
	return exitCode(err, errs)
}

// exitCode prints an error as one line and says how the process ends.
func exitCode(err error, errs io.Writer) int {
	var child childExit
	switch {
	case err == nil:
		return 0
	case errors.As(err, &child):
		return int(child)
	}
	fmt.Fprintf(errs, "lab: %s\n", strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; "))
	switch {
	case errors.Is(err, run.ErrInterrupted):
		return exitInterrupted
	case errors.Is(err, errRegressed):
		return exitRegressed
	case misuse.Is(err):
		return exitMisuse
	default:
		return exitFailed
	}
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "lab",
		Short: "Who should decide when a task gives up the CPU?",
		Long: "Turnlab runs the same socket workloads under cooperative futures, goroutines and OS threads,\n" +
			"and measures what each costs in throughput, latency, CPU and memory.\n\n" +
			"Exit codes: 0 done; 1 something failed, or a trial of lab load is invalid; 2 the command line asks for what\n" +
			"cannot be; 3 a comparison found a proven regression; 130 interrupted, with what was done kept.",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          noArguments,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return misuse.Errorf("%w; see '%s --help'", err, c.CommandPath())
	})
	root.AddCommand(benchCommand(), sweepCommand(), capacityCommand(), compareCommand(), fitCommand(), timelineCommand(), reportCommand(),
		serveCommand(), loadCommand(), listCommand(), versionCommand(), childCommand())
	checkGenerated(root)
	return root
}

// checkGenerated makes wrong arguments of the commands that come with cobra the misuse that they are for all others.
func checkGenerated(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		switch c.Name() {
		case "help":
			c.Args = func(_ *cobra.Command, args []string) error {
				about, rest, err := root.Find(args)
				if err != nil {
					return misuse.Errorf("%w", err)
				}
				return noArguments(about, rest)
			}
		case "completion":
			c.Args = noArguments
			for _, shell := range c.Commands() {
				shell.Args = noArguments
			}
		}
	}
}

// noArguments refuses what a command does not take, and names the commands when one was misspelt.
func noArguments(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if c.HasSubCommands() {
		var names []string
		for _, sub := range c.Commands() {
			if sub.IsAvailableCommand() {
				names = append(names, sub.Name())
			}
		}
		return misuse.Errorf("no command %q; there are: %s", args[0], strings.Join(names, ", "))
	}
	return misuse.Errorf("'%s' takes no arguments, but got %q; see '%s --help'", c.CommandPath(), args[0], c.CommandPath())
}
