package trial

import (
	"context"
	"fmt"

	"turnlab/harness/control"
	"turnlab/harness/record"
	"turnlab/workloads"
)

// upstreamEngine serves the upstreams that a trial's server calls. It is the same for every engine under test, and of
// those that can sleep it costs least, on CPUs that it shares with the generator.
const upstreamEngine = "coop"

// upstream is the server that a trial's server calls, if there is one.
type upstream struct {
	names []string // for control.Server
	pids  []int
	end   func() // ends it; to be called even when there is none
}

// startUpstream starts the server that t's workload calls, if it calls any.
//
// It is a process of its own: what it uses must not count as the server's, and must not take the server's CPU away. If its
// CPUs are the generator's, as they are unless the user says otherwise, then a load that keeps those busy makes the
// upstreams late as well; the flags that say that the generator was the limit say it of both.
func (l *Lab) startUpstream(ctx context.Context, t *record.Trial) (*upstream, error) {
	w, err := workloads.Find(t.Workload)
	if err != nil || !w.Uses(workloads.Call) {
		return &upstream{end: func() {}}, err
	}
	network := t.Text("transport")
	address, cleanUp, err := control.ListenAddress(network)
	if err != nil {
		return nil, err
	}
	child, err := control.Spawn(ctx, control.Command{
		Name: "upstream", Args: []string{"child", "serve"}, Program: l.Program,
		Start: pinned(t.Text("upstream-cpus")),
	})
	if err != nil {
		cleanUp()
		return nil, err
	}
	end := func() { child.Kill(); cleanUp() }
	ready, err := child.Ask(ctx, control.Request{Do: control.Start, Server: &control.Server{
		Engine: upstreamEngine, Workload: workloads.Upstream.Name, Network: network, Address: address,
	}}, control.Ready, l.grace())
	if err != nil {
		end()
		return nil, fmt.Errorf("start the upstream that workload %s calls: %w", w.Name, err)
	}
	return &upstream{names: []string{network + ":" + ready.Address}, pids: ready.PIDs, end: end}, nil
}
