package reports

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestTmpWrite(t *testing.T) {
	for name := range fixtures {
		run, trials := loadFixture(t, name)
		dir := filepath.Join("/tmp/repF", name)
		os.MkdirAll(dir, 0o755)
		if _, err := Write(run, trials, dir); err != nil {
			t.Fatal(err)
		}
		_ = bytes.MinRead
	}
}
