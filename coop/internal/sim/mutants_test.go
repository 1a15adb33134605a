package sim

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"turnlab/coop/internal/mutant"
)

// mutants are mistakes in what depends on sockets, events and time. Some seed must show each.
var mutants = []mutant.Mutant{
	{Name: "an event is believed whatever its generation", Edits: []mutant.Edit{
		{File: "slab/slab.go", Old: "if c.gen != uint32(h>>32) ||", New: "if !MUTATED && c.gen != uint32(h>>32) ||"},
	}},
	{Name: "a local wake does not compare generations", Edits: []mutant.Edit{
		{File: "tasks.go", Old: "if t.gen != id.gen() || t.queued {", New: "if !MUTATED && t.gen != id.gen() || t.queued {"},
	}},
	{Name: "a short read hides the end", Edits: []mutant.Edit{
		{File: "reactor/source.go", Old: "if d == ToRead && s.ready&ended != 0 {", New: "if !MUTATED && d == ToRead && s.ready&ended != 0 {"},
	}},
	{Name: "the end is not taken for something to read", Edits: []mutant.Edit{
		{File: "reactor/source.go", Old: "r |= readable | ended\n\t}\n\tif f&(Hup", New: "r |= readable | ended\n\t\tif MUTATED {\n\t\t\tr &^= readable | ended\n\t\t}\n\t}\n\tif f&(Hup"},
	}},
	{Name: "a full read is taken for an empty socket", Edits: []mutant.Edit{
		{File: "netio/conn.go", Old: "if n < room {", New: "if n < room || MUTATED {"},
	}},
	{Name: "readiness is forgotten when nobody waits", Edits: []mutant.Edit{
		{File: "reactor/source.go", Old: "\ts.awaited &^= woken\n", New: "\ts.awaited &^= woken\n\tif MUTATED {\n\t\ts.ready &^= r &^ woken\n\t}\n"},
	}},
	{Name: "a writer is not woken", Edits: []mutant.Edit{
		{File: "reactor/source.go", Old: "if woken&writable != 0 {", New: "if !MUTATED && woken&writable != 0 {"},
	}},
	{Name: "an interrupted read is an error", Edits: []mutant.Edit{
		{File: "netio/conn.go", Old: "s.Blocked(reactor.ToRead)\n\t\tcase syscall.EINTR:\n", New: "s.Blocked(reactor.ToRead)\n\t\tcase syscall.EINTR:\n\t\t\tif MUTATED {\n\t\t\t\treturn coop.Fail[int](errno)\n\t\t\t}\n"},
	}},
	{Name: "an interrupted wait stops the executor", Edits: []mutant.Edit{
		{File: "reactor/reactor.go", Old: "if errno == syscall.EINTR {", New: "if errno == syscall.EINTR && !MUTATED {"},
	}},
	{Name: "a yield is forgotten", Edits: []mutant.Edit{
		{File: "executor.go", Old: "if ex.tasks.queued > 0 || len(ex.deferred) > 0 {", New: "if ex.tasks.queued > 0 || !MUTATED && len(ex.deferred) > 0 {"},
	}},
	{Name: "a timer is a tick early", Edits: []mutant.Edit{
		{File: "wheel/wheel.go", Old: "if deadline&(Tick-1) != 0 && tick < lastTick {", New: "if !MUTATED && deadline&(Tick-1) != 0 && tick < lastTick {"},
	}},
	{Name: "a dropped sleep stays on the wheel", Edits: []mutant.Edit{
		{File: "sleep.go", Old: "func (s *Sleep) Drop(cx *Context) {\n\tif s.timer != 0 {", New: "func (s *Sleep) Drop(cx *Context) {\n\tif s.timer != 0 && !MUTATED {"},
	}},
	{Name: "the loser of a select is not dropped", Edits: []mutant.Edit{
		{File: "select.go", Old: "func (s *SelectFuture2[A, B]) Drop(cx *Context) {\n\ts.over = true\n", New: "func (s *SelectFuture2[A, B]) Drop(cx *Context) {\n\ts.over = true\n\tif MUTATED {\n\t\treturn\n\t}\n"},
	}},
	{Name: "leaves have no budget", Edits: []mutant.Edit{
		{File: "context.go", Old: "func (cx *Context) Spend() { cx.budget-- }", New: "func (cx *Context) Spend() {\n\tif !MUTATED {\n\t\tcx.budget--\n\t}\n}"},
	}},
	{Name: "an abandoned connect keeps its socket", Edits: []mutant.Edit{
		{File: "netio/connect.go", Old: "func (f *ConnectFuture) Drop(*coop.Context) {\n\tif f.stage", New: "func (f *ConnectFuture) Drop(*coop.Context) {\n\tif !MUTATED && f.stage"},
	}},
	{Name: "a refused registration keeps its socket", Edits: []mutant.Edit{
		{File: "reactor/reactor.go", Old: "\t\tr.sys.CloseFD(fd)\n\t\treturn nil", New: "\t\tif !MUTATED {\n\t\t\tr.sys.CloseFD(fd)\n\t\t}\n\t\treturn nil"},
	}},
}

// active is where a program with mutants is told which one is active.
const active = "COOP_MUTANT"

func TestEveryPlantedMistakeIsFound(t *testing.T) {
	if testing.Short() {
		t.Skip("compiling and looking for every mistake takes some seconds")
	}
	program := compile(t)
	for _, m := range mutants {
		cmd := exec.Command(program, "-test.run", "^TestEverySeed", "-test.timeout", "60s", "-seeds", "2000")
		cmd.Env = append(os.Environ(), active+"="+m.Name)
		out, err := cmd.CombinedOutput()
		if err == nil {
			t.Errorf("%s: not found", m.Name)
			continue
		}
		t.Logf("%s: %s", m.Name, firstLine(string(out)))
	}
}

// firstLine returns the first line that says what has happened.
func firstLine(out string) string {
	for _, line := range strings.Split(out, "\n") {
		if strings.Contains(line, "seed") || strings.Contains(line, "panic") {
			return strings.TrimSpace(line)
		}
	}
	return out
}

// compile builds this package's tests on a library with every mistake planted. The files that have one are made to import
// the switch.
func compile(t *testing.T) string {
	t.Helper()
	source, err := mutant.Read("../..", "../../reactor", "../../netio", "../slab", "../wheel")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range mutants {
		if err := source.Plant(m, fmt.Sprintf("planted.Mutated(%q)", m.Name)); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range source {
		if strings.Contains(text, "planted.Mutated") {
			source[name] = importSwitch(text)
		}
	}
	list, err := source.Overlay(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "sim.test")
	if out, err := exec.Command("go", "test", "-c", "-overlay", list, "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// importSwitch adds the import after the package clause.
func importSwitch(text string) string {
	clause := strings.Index("\n"+text, "\npackage ")
	end := clause + strings.Index(text[clause:], "\n") + 1
	return text[:end] + "\nimport \"turnlab/coop/internal/mutant/planted\"\n" + text[end:]
}
