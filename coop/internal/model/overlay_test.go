package model

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"turnlab/coop/internal/mutant"
)

// library is the folder of the futures library.
const library = "../.."

// compile builds the protocols with the stand-ins in place of sync and sync/atomic and with every mutant planted, and
// returns the program's path. The source itself is not touched.
func compile(t *testing.T, mutants []mutant.Mutant) string {
	t.Helper()
	source, err := mutant.Read(library)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range mutants {
		if err := source.Plant(m, fmt.Sprintf("atomic.Mutated(%q)", m.Name)); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range source {
		source[name] = instrument(text)
	}
	source[filepath.Join("standin", "instrumented.go")] = "package standin\n\nconst Instrumented = true\n"
	list, err := source.Overlay(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "protocols")
	if out, err := exec.Command("go", "build", "-overlay", list, "-o", program, "./protocols").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// instrument has the source import the stand-ins.
func instrument(text string) string {
	const standin = `"turnlab/coop/internal/model/standin"`
	text = strings.Replace(text, "\t\"sync/atomic\"\n", "\tatomic "+standin+"\n", 1)
	text = strings.Replace(text, "\t\"sync\"\n", "\tsync "+standin+"\n", 1)
	text = strings.Replace(text, "import \"sync/atomic\"\n", "import atomic "+standin+"\n", 1)
	text = strings.Replace(text, "import \"sync\"\n", "import sync "+standin+"\n", 1)
	if !strings.Contains(text, "atomic "+standin) {
		text = strings.ReplaceAll(text, "atomic.Mutated", "sync.Mutated")
	}
	return text
}
