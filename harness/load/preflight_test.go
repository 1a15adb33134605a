package load

import (
	"strings"
	"testing"

	"turnlab/harness/control"
	"turnlab/internal/misuse"
)

func TestALoadThatCannotBeMadeIsFoundBeforehand(t *testing.T) {
	fine := control.Load{Workload: "echo", Network: "tcp", Conns: 8, WindowNS: 1e9}
	if err := Check(fine); err != nil {
		t.Errorf("a load that can be made: %v", err)
	}
	many := fine
	many.Conns = 70_000 // one address has 65,535 ports at most
	if err := Check(many); !misuse.Is(err) || !strings.Contains(err.Error(), "ephemeral ports") {
		t.Errorf("got %v", err)
	}
	many.Network = "unix"
	if err := Check(many); err != nil && !strings.Contains(err.Error(), "file descriptors") {
		t.Errorf("unix sockets have no ports: %v", err)
	}
}
