package record

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// strange writes a folder with one trial with a histogram, spoilt by somebody, into base/run.
func strange(t testing.TB, base string, spoil func(*Run, *Trial)) (dir string) {
	t.Helper()
	p := Point{Engine: "coop", Workload: "echo", Mode: Closed, Params: map[string]any{"conns": 8.0, "coop.yield": "0s"}}
	other := p
	other.Params = map[string]any{"conns": 16.0, "coop.yield": "1ms"}
	run := Run{Schema: Schema, ID: "r1", Plan: []Point{p, other}, Order: [][]int{{1, 0}}}
	tr := Trial{
		Schema: Schema, Run: "r1", Point: p, Requests: 1000, ThroughputRPS: 1000, WindowSeconds: 1,
		Histograms: map[string]string{"service": histogramOf(t, 1000, 1000)},
	}
	spoil(&run, &tr)
	runText, err1 := json.Marshal(run)
	trialText, err2 := json.Marshal(tr)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	return folderOf(t, base, runText, append(trialText, '\n'))
}

func folderOf(t testing.TB, base string, run, trials []byte) (dir string) {
	t.Helper()
	dir = filepath.Join(base, "run")
	err := os.Mkdir(dir, 0o755)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, runFile), run, 0o644)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, trialsFile), trials, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestAFolderWhoseNamesArePathsIsRefusedWithItsPlace(t *testing.T) {
	const path = "../../out"
	for name, c := range map[string]struct {
		spoil func(*Run, *Trial)
		want  string
	}{
		"the run's id":     {func(r *Run, _ *Trial) { r.ID = path }, "run.json is damaged: its id is"},
		"no id":            {func(r *Run, _ *Trial) { r.ID = "" }, "run.json is damaged: it has no id"},
		"a planned engine": {func(r *Run, _ *Trial) { r.Plan[1].Engine = path }, "run.json is damaged: point 1: its engine is"},
		"an order":         {func(r *Run, _ *Trial) { r.Order[0][1] = 2 }, "block 0 has point 2 of 2"},
		"a workload":       {func(_ *Run, tr *Trial) { tr.Workload = path }, "line 1 of"},
		"no workload":      {func(_ *Run, tr *Trial) { tr.Workload = "" }, "it has no workload"},
		"an engine":        {func(_ *Run, tr *Trial) { tr.Engine = "" }, "it has no engine"},
		"a variant":        {func(_ *Run, tr *Trial) { tr.Variant = path }, "its variant is"},
		"a mode":           {func(_ *Run, tr *Trial) { tr.Mode = path }, "its mode is"},
		"an arm":           {func(_ *Run, tr *Trial) { tr.Arm = "a b" }, "its arm is"},
		"an experiment":    {func(_ *Run, tr *Trial) { tr.Experiment = path }, "its experiment is"},
		"a long name":      {func(_ *Run, tr *Trial) { tr.Experiment = strings.Repeat("x", 101) }, "has 101 bytes"},
		"a line":           {func(_ *Run, tr *Trial) { tr.Workload = "echo\nBenchmarkFast 1 1 ns/op" }, "no slashes, blanks and control"},
		"a parameter":      {func(_ *Run, tr *Trial) { tr.Params[path] = "1" }, "its parameter's name is"},
		"a value":          {func(_ *Run, tr *Trial) { tr.Params["conns"] = []string{"8"} }, "neither a number nor a text"},
		"a block":          {func(_ *Run, tr *Trial) { tr.Block = -1 }, "of block -1"},
	} {
		_, err := Load(strange(t, t.TempDir(), c.spoil))
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func TestValuesThatArePathsStayInTheFolder(t *testing.T) {
	base := t.TempDir()
	f, err := Load(strange(t, base, func(r *Run, tr *Trial) {
		for _, params := range []map[string]any{tr.Params, r.Plan[0].Params} {
			params["conns"], params["coop.yield"], params["echo.path"] = "../../../out", "/../../out", "../../out"
		}
		r.Plan[1].Params["echo.path"] = "/"
	}))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Export(); err != nil {
		t.Error(err)
	}
	files, _ := filepath.Glob(filepath.Join(base, "run", "hist", "*"))
	if len(files) != 2 { // a log and a table
		t.Errorf("hist has %q", files)
	}
	onlyTheRun(t, base)
}

// onlyTheRun makes sure that nothing lies beside the run's folder.
func onlyTheRun(t *testing.T, base string) {
	t.Helper()
	entries, err := os.ReadDir(base)
	if err != nil || len(entries) != 1 {
		t.Errorf("beside the run's folder lies something: %v, %v", entries, err)
	}
}

// Whatever a folder holds, reading and exporting it ends in an error or in files within it.
func FuzzAFolderOfAStranger(f *testing.F) {
	for _, spoil := range []func(*Run, *Trial){
		func(*Run, *Trial) {},
		func(r *Run, _ *Trial) { r.ID = "../x" },
		func(_ *Run, t *Trial) { t.Workload = "" },
		func(_ *Run, t *Trial) { t.Workload, t.Experiment = "../x", "/x" },
		func(_ *Run, t *Trial) { t.Params["conns"] = "../../x" },
		func(_ *Run, t *Trial) { t.Histograms["service"] = "HISTFAAA" },
		func(r *Run, t *Trial) { r.Plan[0].Params["a"], r.Plan[1].Params["a"] = nil, map[string]any{} },
		func(_ *Run, t *Trial) { t.Failed = "it fell over" },
	} {
		dir := strange(f, f.TempDir(), spoil)
		run, err1 := os.ReadFile(filepath.Join(dir, runFile))
		trials, err2 := os.ReadFile(filepath.Join(dir, trialsFile))
		if err1 != nil || err2 != nil {
			f.Fatal(err1, err2)
		}
		f.Add(run, trials)
	}
	f.Fuzz(func(t *testing.T, run, trials []byte) {
		base := t.TempDir()
		folder, err := Load(folderOf(t, base, run, trials))
		if err == nil {
			_ = folder.Export() // that it cannot be made is told; that it is made elsewhere is not
		}
		onlyTheRun(t, base)
	})
}
