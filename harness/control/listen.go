package control

import (
	"fmt"
	"os"
	"path/filepath"
)

// ListenAddress returns where a server child is to listen: on a free port, or, with the transport unix, at a path of its own
// that cleanUp takes away.
func ListenAddress(transport string) (address string, cleanUp func(), err error) {
	if transport != "unix" {
		return "127.0.0.1:0", func() {}, nil
	}
	dir, err := os.MkdirTemp("", "turnlab")
	if err != nil {
		return "", nil, fmt.Errorf("make a folder for the unix socket: %w", err)
	}
	return filepath.Join(dir, "s"), func() { os.RemoveAll(dir) }, nil
}
