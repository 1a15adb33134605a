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

// startUpstream starts the server that t's workload calls, if it calls any, and returns its name for control.Server. The
// function ends it; there is one even when there is nothing to end.
//
// It is a process of its own, on the generator's CPUs: what it uses must not count as the server's, and must not take the
// server's CPU away. So a load that keeps the generator's CPUs busy makes the upstreams late as well; the flags that say
// that the generator was the limit say it of both.
func (l *Lab) startUpstream(ctx context.Context, t *record.Trial) (names []string, end func(), err error) {
	w, err := workloads.Find(t.Workload)
	if err != nil || !w.Uses(workloads.Call) {
		return nil, func() {}, err
	}
	network := t.Text("transport")
	address, cleanUp, err := listenAddress(network)
	if err != nil {
		return nil, nil, err
	}
	child, err := control.Spawn(ctx, control.Command{
		Name: "upstream", Args: []string{"child", "serve"}, Program: l.Program, Launcher: l.ClientLauncher,
		Start: pinned(t.Text("client-cpus")),
	})
	if err != nil {
		cleanUp()
		return nil, nil, err
	}
	end = func() { child.Kill(); cleanUp() }
	ready, err := child.Ask(ctx, control.Request{Do: control.Start, Server: &control.Server{
		Engine: upstreamEngine, Workload: workloads.Upstream.Name, Network: network, Address: address,
	}}, control.Ready, l.grace())
	if err != nil {
		end()
		return nil, nil, fmt.Errorf("start the upstream that workload %s calls: %w", w.Name, err)
	}
	return []string{network + ":" + ready.Address}, end, nil
}
