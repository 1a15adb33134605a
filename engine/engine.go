// Package engine is the small contract between an engine and everything else.
//
// An engine decides who runs when: it takes a listening socket and a workload's server half, and drives one session per
// connection in its own way (see [Engine]). Everything else (the harness, the command line, the tests) sees engines only
// through a [Spec]. The list of engines is in engine/all: adding one is a package and a line there.
//
// One server process runs one engine and serves one workload. Limits: an engine is not restarted; after Serve has
// returned it is done.
package engine

import (
	"strings"

	"turnlab/internal/misuse"
	"turnlab/internal/option"
	"turnlab/workloads"
)

// Engine serves a workload's sessions.
type Engine interface {
	// Serve accepts connections on l and drives a session of srv for each, until Stop. It closes every connection it
	// accepted before it returns, and l as well. The error is nil after Stop.
	//
	// How an engine carries out the ops of a session is what the lab compares; *that* it carries them out the same way is
	// tested: Out goes out before any op but Burn; a session that reads or receives after EOF, or that leaves
	// workloads.MaxUnread bytes unread when it does, is closed; a broken connection drops its session without a further
	// Step, cancels its calls and ends its subscription.
	Serve(l *Listener, srv workloads.Server) error
	// Stop makes Serve return. It may be called from any goroutine, before, during and after Serve, and more than once.
	Stop()
	// Counters returns what the engine has counted since it began, by name, for example "accepted", "open", "polls". It
	// may be called from any goroutine at any time and costs the engine's hot path next to nothing.
	Counters() map[string]int64
}

// A Spec describes an engine or a variant of one.
type Spec struct {
	Name    string     // "coop"
	Variant string     // "await", or empty for the engine's plain form
	Summary string     // who decides when a task gives up the CPU, one line
	Options option.Set // its own options; Common ones come on top
	// Defaults replaces defaults of the common options, by name, where the engine needs others (with the reason in Why).
	Defaults map[string]string
	Why      string // why Defaults are as they are
	// Environ is what the server process's environment must hold before the Go runtime starts: "GODEBUG=asyncpreemptoff=1".
	Environ []string
	// Command starts the foreign server of an exec engine; it travels to the server process, which cannot know it otherwise.
	Command string
	// Sources are the Go files with the code that carries out ops, the ones with its loop first, for readers who lay engines
	// side by side. The code of an op is the method of its name ("read"), or its case in the loop. Nil for foreign servers.
	Sources []string
	// Serves says whether the engine can serve w; nil means that it serves everything. The error says why not.
	Serves func(w *workloads.Workload) error
	// Shared says whether sessions run on more than one thread at the same time, so that what they share needs a lock; nil
	// means that they do. It becomes workloads.Env.Shared.
	Shared func(c Config) bool
	// Procs returns the GOMAXPROCS that the engine wants when the option procs is 0.
	Procs func(c Config) int
	// New makes an engine. The process has been set up (GOMAXPROCS, GC, CPUs) when it is called.
	New func(c Config) (Engine, error)
}

// Config is what an engine is made from.
type Config struct {
	Options option.Values // resolved: the common options and the engine's own
	Conns   int           // how many connections to expect at once; 0 when nobody knows
	CPUs    int           // how many CPUs the process may use
	// Upstreams are the servers that Call asks, NETWORK:ADDRESS each (see SplitUpstream). An engine connects to one when a
	// session first calls it, keeps the connections its own way, and closes them before Serve returns.
	Upstreams []string
}

// SplitUpstream takes an upstream apart: tcp:HOST:PORT or unix:PATH.
func SplitUpstream(text string) (network, address string, err error) {
	network, address, _ = strings.Cut(text, ":")
	if network != "tcp" && network != "unix" || address == "" {
		return "", "", misuse.Errorf("upstream %q: write tcp:HOST:PORT or unix:PATH", text)
	}
	return network, address, nil
}

// Preparer is implemented by an engine that has to do something before its clients may come: make its threads, start
// somebody else's server. Prepare is called at most once, before Serve and with the same arguments; when it returns, clients
// may connect to l.Address. Serve prepares what nobody has prepared. After an error the engine is done and has closed l.
type Preparer interface {
	Prepare(l *Listener, srv workloads.Server) error
}

// Process is implemented by an engine whose work is done by another process (exec). CPU time, memory and switches are
// then read from that process, and from all others of the process group that it leads.
type Process interface {
	PID() int
}

// Common are the options of every engine. They are always set explicitly and recorded: Go's defaults depend on the
// machine, and since Go 1.25 GOMAXPROCS can change while a program runs.
var Common = option.Set{
	{Name: "procs", Kind: option.Int, Default: "0", Min: 0, Max: 1 << 15,
		Help: "GOMAXPROCS of the server process; 0 takes the engine's own rule"},
	{Name: "gogc", Kind: option.Int, Default: "100", Min: -1, Max: 1 << 20,
		Help: "GOGC, the heap growth in percent that starts a collection; -1 turns collection off"},
	{Name: "memlimit", Kind: option.Size, Default: "0",
		Help: "GOMEMLIMIT, a soft limit of the Go heap; 0 means none"},
	{Name: "gc-every", Kind: option.Duration, Default: "0s", Max: 3600,
		Help: "collect garbage this often besides, as a program does that allocates; 0 means only when the heap asks"},
}

// Label returns NAME or NAME/VARIANT, the form in which users write an engine.
func (s *Spec) Label() string {
	if s.Variant == "" {
		return s.Name
	}
	return s.Name + "/" + s.Variant
}

// AllOptions returns the common options, with the engine's defaults, and then its own.
func (s *Spec) AllOptions() option.Set {
	all := make(option.Set, 0, len(Common)+len(s.Options))
	for _, o := range Common {
		if d, ok := s.Defaults[o.Name]; ok {
			o.Default = d
		}
		all = append(all, o)
	}
	return append(all, s.Options...)
}

// CanServe returns an error that says why the engine cannot serve w.
func (s *Spec) CanServe(w *workloads.Workload) error {
	if s.Serves == nil {
		return nil
	}
	return s.Serves(w)
}

// IsShared reports whether sessions of an engine made from c run on more than one thread at the same time.
func (s *Spec) IsShared(c Config) bool { return s.Shared == nil || s.Shared(c) }

// GOMAXPROCS returns the number of Ps the server process gets.
func (s *Spec) GOMAXPROCS(c Config) int {
	if n := c.Options.Int("procs"); n > 0 {
		return n
	}
	if s.Procs == nil {
		return max(1, c.CPUs)
	}
	return s.Procs(c)
}
