package model

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// edit replaces text in a file of the library.
type edit struct{ file, old, new string }

// mutant is a planted mistake. Its edits contain a switch, so that one program has all mutants and runs one at a time.
type mutant struct {
	name     string
	protocol string // in which it must be found
	edits    []edit
}

// library is the folder of the futures library.
const library = "../.."

// compile builds the protocols with the stand-ins in place of sync and sync/atomic and with every mutant planted, and
// returns the program's path. The source itself is not touched: Go's tool is told to read other versions of the files.
func compile(t *testing.T, mutants []mutant) string {
	t.Helper()
	texts := map[string]string{filepath.Join("standin", "instrumented.go"): "package standin\n\nconst Instrumented = true\n"}
	for name, text := range sources(t) {
		for _, m := range mutants {
			for _, e := range m.edits {
				if e.file == filepath.Base(name) {
					text = plant(t, m.name, e, text)
				}
			}
		}
		texts[name] = instrument(text)
	}
	program := filepath.Join(t.TempDir(), "protocols")
	out, err := exec.Command("go", "build", "-overlay", overlay(t, texts), "-o", program, "./protocols").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// sources reads the library.
func sources(t *testing.T) map[string]string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(library, "*.go"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no source in %s: %v", library, err)
	}
	texts := map[string]string{}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = string(text)
	}
	return texts
}

// plant makes an edit. A mutant whose place has changed has to be planted anew, or else it would no longer prove anything.
func plant(t *testing.T, name string, e edit, text string) string {
	t.Helper()
	if strings.Count(text, e.old) != 1 {
		t.Fatalf("mutant %q: %s does not contain exactly once: %s", name, e.file, e.old)
	}
	return strings.Replace(text, e.old, strings.ReplaceAll(e.new, "MUTATED", `atomic.Mutated("`+name+`")`), 1)
}

// instrument has the source import the stand-ins.
func instrument(text string) string {
	const standin = `"turnlab/coop/internal/model/standin"`
	text = strings.Replace(text, "\t\"sync/atomic\"\n", "\tatomic "+standin+"\n", 1)
	text = strings.Replace(text, "\t\"sync\"\n", "\tsync "+standin+"\n", 1)
	text = strings.Replace(text, "import \"sync/atomic\"\n", "import atomic "+standin+"\n", 1)
	text = strings.Replace(text, "import \"sync\"\n", "import sync "+standin+"\n", 1)
	if strings.Contains(text, "atomic.Mutated") && !strings.Contains(text, "atomic "+standin) {
		text = strings.ReplaceAll(text, "atomic.Mutated", "sync.Mutated")
	}
	return text
}

// overlay writes the new versions of files, and the list of them that the go command takes.
func overlay(t *testing.T, texts map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	replace := map[string]string{}
	for name, text := range texts {
		from, err := filepath.Abs(name)
		if err != nil {
			t.Fatal(err)
		}
		replace[from] = filepath.Join(folder, filepath.Base(name))
		if err := os.WriteFile(replace[from], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "overlay.json")
	if err := os.WriteFile(path, list, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
