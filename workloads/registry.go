package workloads

import (
	"slices"
	"strings"

	"turnlab/internal/misuse"
	"turnlab/internal/option"
)

// Workload describes a protocol: its options and how to make both of its halves.
type Workload struct {
	Name    string     // lower case, as on the command line
	Summary string     // what a request makes the server do, one line
	Shows   string     // what the workload is there to show, a few words
	Options option.Set // its knobs, each a possible sweep axis
	Ops     []Kind     // the ops its sessions use besides Read, Flush and Close
	// Also returns further ops that sessions use under some settings; nil when there are none.
	Also    func(option.Values) []Kind
	Classes []string // names of the classes of its requests, when its clients are Classed; latencies are kept apart by them
	// NewServer makes the server half.
	NewServer func(v option.Values, env Env) (Server, error)
	// NewClients makes the requesting half from the trial's seed.
	NewClients func(v option.Values, seed uint64) (Clients, error)
}

// Uses reports whether sessions of w may return op k.
func (w *Workload) Uses(k Kind) bool {
	return k == Read || k == Flush || k == Close || slices.Contains(w.Ops, k)
}

// For returns the workload as it is under settings: with the ops that its sessions use then.
func (w *Workload) For(v option.Values) *Workload {
	if w.Also == nil {
		return w
	}
	under := *w
	under.Ops = slices.Concat(w.Ops, w.Also(v))
	return &under
}

// All lists the workloads. Adding one is a file in this folder and a line here.
var All = []*Workload{
	Echo,
	HTTP,
	KV,
	Stream,
	Hog,
	Sleeper,
	Fanout,
	Upstream,
	Idle,
	Churn,
	Broadcast,
}

// Find returns the workload called name.
func Find(name string) (*Workload, error) {
	for _, w := range All {
		if w.Name == name {
			return w, nil
		}
	}
	return nil, misuse.Errorf("no workload %q; there are: %s", name, strings.Join(Names(), ", "))
}

// Names lists the names of All.
func Names() []string {
	names := make([]string, len(All))
	for i, w := range All {
		names[i] = w.Name
	}
	return names
}
