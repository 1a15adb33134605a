package conformance

import (
	"io"
	"net"
	"os"
	"testing"

	"turnlab/engine"
	"turnlab/engine/all"
	"turnlab/workloads"
)

// BenchmarkRequest is one connection's requests, one at a time, with the client in the same process: what it says of time is
// of both, what it says of allocations is of the engine and the session, as the client makes none. Engines that need an
// environment have it only if the benchmark was started in it.
func BenchmarkRequest(b *testing.B) {
	for _, w := range []struct {
		name, request string
		server        workloads.Server
	}{{"echo", echoText, echo}, {"http", getText, http}, {"kv", kvText, kv}} {
		for _, spec := range all.Specs {
			if len(spec.Environ) > 0 && os.Getenv("GODEBUG") == "" {
				continue
			}
			b.Run(w.name+"/"+spec.Label(), func(b *testing.B) { requests(b, spec, w.server, w.request) })
		}
	}
}

func requests(b *testing.B, spec *engine.Spec, srv workloads.Server, request string) {
	l, err := engine.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	e, done := build(b, spec), make(chan error, 1)
	if p, ok := e.(engine.Preparer); ok {
		if err := p.Prepare(l, srv); err != nil {
			b.Fatal(err)
		}
	}
	go func() { done <- e.Serve(l, srv) }()
	b.Cleanup(func() {
		e.Stop()
		if err := <-done; err != nil {
			b.Error(err)
		}
	})
	c, err := net.Dial("tcp", l.Address)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	out, reply := []byte(request), make([]byte, len((&rig{seen: &observer{inner: srv}}).reference(request)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Write(out); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(c, reply); err != nil {
			b.Fatal(err)
		}
	}
}
