package main

import (
	"github.com/spf13/cobra"

	"turnlab/harness/control"
	"turnlab/harness/plan"
	"turnlab/harness/proc"
	"turnlab/harness/record"
	"turnlab/harness/server"
	"turnlab/internal/misuse"
)

func serveCommand() *cobra.Command {
	var points pointFlags
	var engineLabel, workload, network, listen, cpus string
	var upstreams []string
	var conns int
	c := &cobra.Command{
		Use:   "serve",
		Short: "Serve a workload in the foreground, for any client",
		Long:  "Serve a workload in the foreground, for any client. The first line of output is the address.",
		Args:  noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			points.engines, points.workloads, points.blocks = []string{engineLabel}, []string{workload}, 1
			p, err := points.resolve(c)
			if err != nil {
				return err
			}
			point, err := onlyPoint(p, "serve")
			if err != nil {
				return err
			}
			if err := pinTo(cpus); err != nil {
				return err
			}
			return server.Foreground(c.Context(), control.Server{
				Engine: engineLabel, Workload: workload, Network: network, Address: listen, Conns: conns,
				Options: point.Options(point.Engine), Settings: point.Options(point.Workload),
				Command: commandOf(p.Catalog, engineLabel), Upstreams: upstreams,
			}, c.OutOrStdout())
		},
	}
	c.Flags().StringVar(&engineLabel, "engine", "coop", "engine (see lab list)")
	c.Flags().StringVar(&workload, "workload", "http", "workload (see lab list)")
	c.Flags().StringVar(&network, "transport", "tcp", "tcp or unix")
	c.Flags().StringVar(&listen, "listen", "127.0.0.1:8080", "address, or the path of a unix socket; port 0 takes a free one")
	c.Flags().IntVar(&conns, "conns", 0, "how many connections to expect (0: unknown); threads makes so many threads")
	c.Flags().StringSliceVar(&upstreams, "upstream", nil,
		"servers that workload fanout calls, as tcp:HOST:PORT or unix:PATH (lab serve --workload upstream is one)")
	c.Flags().StringVar(&cpus, "cpus", "", "CPUs to run on, such as 0 or 0-3 (default: all)")
	points.addSet(c)
	points.addForeign(c)
	return c
}

// onlyPoint refuses lists where a command takes one value of each parameter.
func onlyPoint(p *plan.Plan, command string) (point record.Point, err error) {
	if len(p.Points) > 1 {
		return point, misuse.Errorf("lab %s takes one value of each parameter; lab sweep takes lists", command)
	}
	return p.Points[0], nil
}

func commandOf(c plan.Catalog, label string) string {
	spec, err := c.Engine(label)
	if err != nil {
		return ""
	}
	return spec.Command
}

// pinTo puts this process on CPUs; an empty text leaves it where it is.
func pinTo(cpus string) error {
	if cpus == "" {
		return nil
	}
	set, err := proc.ParseCPUs(cpus)
	if err != nil {
		return err
	}
	return proc.PinSelf(set)
}
