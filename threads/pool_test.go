package threads

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"turnlab/engine"
	"turnlab/engine/conformance"
	"turnlab/internal/option"
	"turnlab/workloads"
)

// pooledSpec describes a pool of a size.
func pooledSpec(size string) *engine.Spec {
	spec := *PoolSpec
	spec.Options = append(option.Set{}, spec.Options...)
	spec.Options[0].Default = size
	return &spec
}

// Whatever holds the only thread longer than it should shows when there is no other.
func TestAPoolOfOneThreadSendsTheSameBytesAsAnyOther(t *testing.T) {
	conformance.Run(t, pooledSpec("1"))
}

// startPool makes a pool of a size serve until the test ends.
func startPool(t *testing.T, size string, srv workloads.Server) (*Pool, string) {
	t.Helper()
	e, address := startSpec(t, pooledSpec(size), nil, srv)
	return e.(*Pool), address
}

func TestAPoolServesManyMoreConnectionsThanItHasThreads(t *testing.T) {
	conns := 8000
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil || limit.Cur < uint64(2*conns+200) || testing.Short() {
		conns = 200 // as many as go for sure
	}
	p, address := startPool(t, "4", napServer{})
	open := make([]net.Conn, conns)
	for i := range open {
		open[i] = dial(t, address)
	}
	for range 2 {
		for _, c := range open {
			if _, err := io.WriteString(c, "x"); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range open {
			if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if c := p.Counters(); c["threads"] != 4 || c["accepted"] != int64(conns) || c["open"] != int64(conns) || c["turns"] < int64(2*conns) {
		t.Errorf("counters %v", c)
	}
}

func TestASessionThatSleepsTakesAThreadOfThePoolWithIt(t *testing.T) {
	const nap = 100 * time.Millisecond
	_, address := startPool(t, "1", napServer{nap: nap})
	first, second := dial(t, address), dial(t, address)
	began := time.Now()
	for _, c := range []net.Conn{first, second} {
		if _, err := io.WriteString(c, "x"); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []net.Conn{first, second} {
		if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(began); took < 2*nap {
		t.Errorf("one thread slept %v twice within %v", nap, took)
	}
}

// restless echoes, until it is told "!": from then on it never waits.
type restless struct{ on bool }

func (s *restless) NewSession() workloads.Session { return new(restless) }

func (s *restless) Step(x *workloads.Exchange) workloads.Op {
	s.on = s.on || strings.Contains(string(x.In), "!")
	x.Out, x.In = append(x.Out, x.In...), nil
	if s.on {
		return workloads.Op{Kind: workloads.Flush}
	}
	return workloads.Op{Kind: workloads.Read}
}

func TestASessionThatNeverRestsLeavesTheOthersTheirTurns(t *testing.T) {
	p, address := startPool(t, "1", new(restless))
	for range 3 {
		c := dial(t, address)
		if _, err := io.WriteString(c, "!"); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
	bounce(t, dial(t, address))
	if c := p.Counters(); c["open"] != 4 {
		t.Errorf("counters %v", c)
	}
}

// A thread that waits for room must not be told again and again that the peer has ended its side.
func TestAPeerThatEndsAndDoesNotReadKeepsNoThreadBusy(t *testing.T) {
	flood := floodServer(8 << 20)
	p, address := startPool(t, "1", flood)
	c := dial(t, address)
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	await(t, "the output to be blocked", func() bool {
		before := p.Counters()["turns"]
		time.Sleep(20 * time.Millisecond)
		return before > 0 && p.Counters()["turns"] == before
	})
	if n, err := io.Copy(io.Discard, c); n != int64(flood) || err != nil {
		t.Errorf("got %d bytes, %v", n, err)
	}
}

// floodServer's sessions send so many bytes and close.
type floodServer int

func (n floodServer) NewSession() workloads.Session { left := n; return &left }

func (n *floodServer) Step(x *workloads.Exchange) workloads.Op {
	if *n == 0 {
		return workloads.Op{Kind: workloads.Close}
	}
	piece := min(*n, 64<<10)
	x.Out = append(x.Out, make([]byte, piece)...)
	*n -= piece
	return workloads.Op{Kind: workloads.Flush}
}

func TestTheSizeOfAPoolIsWhatIsAskedForOrFourPerCPU(t *testing.T) {
	for _, c := range []struct {
		size string
		cpus int
		want int
	}{{"0", 0, 4}, {"0", 2, 8}, {"7", 2, 7}} {
		options, err := PoolSpec.AllOptions().Resolve(map[string]string{"size": c.size})
		if err != nil {
			t.Fatal(err)
		}
		config := engine.Config{Options: options, CPUs: c.cpus, Conns: 1000}
		if n := poolSize(config); n != c.want || PoolSpec.GOMAXPROCS(config) != n+2 {
			t.Errorf("size=%s on %d CPUs gives %d threads, GOMAXPROCS %d", c.size, c.cpus, n, PoolSpec.GOMAXPROCS(config))
		}
	}
}
