package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/perf/benchfmt"

	"turnlab/docs/schema"
	"turnlab/internal/misuse"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// full sets every field below v to something that is not zero.
func full(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			full(v.Field(i))
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		full(v.Elem())
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		x := reflect.New(v.Type().Elem()).Elem()
		full(x)
		v.SetMapIndex(reflect.ValueOf("key"), x)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		full(v.Index(0))
	case reflect.Interface:
		v.Set(reflect.ValueOf("text"))
	case reflect.String:
		v.SetString("text")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Uint64:
		v.SetUint(7)
	case reflect.Float64:
		v.SetFloat(7.5)
	default:
		panic(v.Kind())
	}
}

// fullTrial has every field that a trial that did not fail can have.
func fullTrial() Trial {
	var t Trial
	full(reflect.ValueOf(&t).Elem())
	t.Schema, t.Mode, t.Flags[0].Level, t.Failed, t.InRun = Schema, Open, Warn, "", "" // files have no InRun
	return t
}

func check(t *testing.T, tr Trial) error {
	t.Helper()
	text, err := json.Marshal(tr)
	if err != nil {
		t.Fatal(err)
	}
	return schema.Check(schema.Trial, text)
}

// fullRun has every field that a run can have.
func fullRun() Run {
	var r Run
	full(reflect.ValueOf(&r).Elem())
	r.Schema, r.Plan[0].Mode = Schema, Open
	return r
}

// unused lists the properties that a schema describes and a document does not have, at any depth.
func unused(root, s map[string]any, at string, d any) (names []string) {
	if ref, ok := s["$ref"].(string); ok {
		s = root["$defs"].(map[string]any)[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
	}
	object, _ := d.(map[string]any)
	for name, sub := range asObject(s["properties"]) {
		if inner, ok := object[name]; ok {
			names = append(names, unused(root, sub.(map[string]any), at+"."+name, inner)...)
		} else {
			names = append(names, at+"."+name)
		}
	}
	if sub, ok := s["additionalProperties"].(map[string]any); ok {
		for name, inner := range object {
			names = append(names, unused(root, sub, at+"."+name, inner)...)
		}
	}
	list, _ := d.([]any)
	for _, inner := range list {
		names = append(names, unused(root, s["items"].(map[string]any), at+"[]", inner)...)
	}
	return names
}

func asObject(x any) map[string]any {
	object, _ := x.(map[string]any)
	return object
}

func TestTheSchemasKnowEveryFieldAndNoOther(t *testing.T) {
	for name, c := range map[string]struct {
		schema []byte
		record any
	}{"trial": {schema.Trial, fullTrial()}, "run": {schema.Run, fullRun()}} {
		text, err := json.Marshal(c.record)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Check(c.schema, text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var described, have map[string]any
		if err := errors.Join(json.Unmarshal(c.schema, &described), json.Unmarshal(text, &have)); err != nil {
			t.Fatal(err)
		}
		if name == "trial" {
			have["failed"] = "instead of the others"
		}
		for _, field := range unused(described, described, name, have) {
			t.Errorf("the schema describes %s, which no record has", field)
		}
	}
}

func TestTheSchemaOfARunRefusesWhatIsNone(t *testing.T) {
	for name, spoil := range map[string]func(*Run){
		"schema":  func(r *Run) { r.Schema = "turnlab/2" },
		"id":      func(r *Run) { r.ID = "" },
		"blocks":  func(r *Run) { r.Blocks = 0 },
		"mode":    func(r *Run) { r.Plan[0].Mode = "ajar" },
		"order":   func(r *Run) { r.Order[0][0] = -1 },
		"host":    func(r *Run) { r.Host.CPUs = 0 },
		"setting": func(r *Run) { r.Host.Settings["key"] = "" },
		"bound":   func(r *Run) { r.Capacities[0].UpperRPS = -1 },
		"attempt": func(r *Run) { r.Calibrations[0].Attempts = nil },
	} {
		r := fullRun()
		spoil(&r)
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if schema.Check(schema.Run, text) == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestTheSchemaRefusesWhatIsNotARecord(t *testing.T) {
	for name, spoil := range map[string]func(*Trial){
		"schema": func(t *Trial) { t.Schema = "turnlab/2" },
		"run":    func(t *Trial) { t.Run = "" },
		"mode":   func(t *Trial) { t.Mode = "ajar" },
		"params": func(t *Trial) { t.Params = map[string]any{"conns": []int{1}} },
		"level":  func(t *Trial) { t.Flags[0].Level = "grave" },
		"count":  func(t *Trial) { t.LatencyNS["key"] = Latency{Count: -1} },
	} {
		tr := fullTrial()
		spoil(&tr)
		if check(t, tr) == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestAFailedTrialHasNoFigures(t *testing.T) {
	tr := fullTrial()
	tr.Failed = "the server ended"
	text, _ := json.Marshal(tr)
	if err := schema.Check(schema.Trial, text); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"requests", "throughput_rps", "window_seconds", "cpu"} {
		if bytes.Contains(text, []byte(`"`+name+`"`)) {
			t.Errorf("it has %s", name)
		}
	}
	if len(tr.Figures()) > 0 || tr.Valid() {
		t.Error("it has figures")
	}
}

func TestARecordReadsBackAsItWasWritten(t *testing.T) {
	want := fullTrial()
	text, _ := json.Marshal(want)
	var got Trial
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestOnlyAnInvalidFlagOrAFailureMakesATrialInvalid(t *testing.T) {
	for want, tr := range map[bool]Trial{
		true:  {Flags: []Flag{{Level: Warn}}},
		false: {Flags: []Flag{{Level: Warn}, {Level: Invalid}}},
	} {
		if tr.Valid() != want {
			t.Errorf("%+v: %v", tr.Flags, tr.Valid())
		}
	}
}

func create(t *testing.T, trials ...Trial) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "a", "run")
	w, err := Create(dir, Run{Schema: Schema, ID: "r1", Version: "v1", Plan: []Point{{Engine: "coop", Workload: "echo", Mode: Closed}}, Order: [][]int{{0}}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range trials {
		if err := w.Add(&trials[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestAFolderReadsBackAsItWasWritten(t *testing.T) {
	one, two := fullTrial(), fullTrial()
	two.Trial = 8
	f, err := Load(create(t, one, two))
	if err != nil {
		t.Fatal(err)
	}
	if f.Run.ID != "r1" || len(f.Notes) > 0 || !cmp.Equal(f.Trials, []Trial{one, two}) {
		t.Errorf("%+v", f)
	}
}

func TestATornLastLineIsLeftOutNotedAndCutOffBeforeMoreIsWritten(t *testing.T) {
	dir := create(t, fullTrial())
	name := filepath.Join(dir, "trials.jsonl")
	text, _ := os.ReadFile(name)
	os.WriteFile(name, append(text, text[:len(text)/2]...), 0o644)
	f, w, err := Reopen(dir)
	if err != nil || len(f.Trials) != 1 || len(f.Notes) != 1 || !strings.Contains(f.Notes[0], "line 2") {
		t.Fatalf("%d trials, notes %q, %v", len(f.Trials), f.Notes, err)
	}
	tr := fullTrial()
	if err := w.Add(&tr); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if f, err := Load(dir); err != nil || len(f.Trials) != 2 || len(f.Notes) > 0 {
		t.Errorf("%d trials, notes %q, %v", len(f.Trials), f.Notes, err)
	}
}

// trialLine is a line of trials.jsonl.
func trialLine(t *testing.T) string {
	t.Helper()
	text, err := json.Marshal(fullTrial())
	if err != nil {
		t.Fatal(err)
	}
	return string(text) + "\n"
}

func TestADamagedFolderIsAnErrorWithItsPlace(t *testing.T) {
	for _, test := range []struct {
		file, text, want string
		misuse           bool
	}{
		{"trials.jsonl", trialLine(t) + "no json\n{}\n", "line 2 of", false},
		{"trials.jsonl", trialLine(t) + "{}\n", "line 2 of", false},
		{"run.json", "no json", "run.json is damaged", false},
		{"run.json", `{"schema":"turnlab/9","version":"v9"}`, `schema "turnlab/9"`, true},
	} {
		dir := create(t)
		os.WriteFile(filepath.Join(dir, test.file), []byte(test.text), 0o644)
		_, err := Load(dir)
		if err == nil || !strings.Contains(err.Error(), test.want) || misuse.Is(err) != test.misuse {
			t.Errorf("%s: %v", test.file, err)
		}
	}
}

func TestWhatIsNotARunIsTheUsersToMend(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	os.WriteFile(file, nil, 0o644)
	for _, dir := range []string{t.TempDir(), "/no/such", file} {
		if _, err := Load(dir); !misuse.Is(err) || !strings.Contains(err.Error(), "is not a run") {
			t.Errorf("%s: %v", dir, err)
		}
	}
}

func TestAFolderThatCannotBeMadeIsTheUsersToMend(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	os.WriteFile(file, nil, 0o644)
	if _, err := Create(filepath.Join(file, "run"), Run{}); !misuse.Is(err) {
		t.Errorf("got %v", err)
	}
}

// sample is a small run with every oddity: a variant, an open and a closed loop, an invalid trial and a failed one.
func sample() *Folder {
	point := func(engine, variant, mode string, conns, rate float64) Point {
		params := map[string]any{"conns": conns, "rate": rate, "duration": "3s", "transport": "tcp"}
		if engine == "coop" {
			params["coop.yield"] = "100µs"
		}
		return Point{Engine: engine, Variant: variant, Workload: "http", Mode: mode, Params: params}
	}
	points := []Point{point("coop", "", Closed, 64, 0), point("coop", "await", Closed, 64, 0), point("preempt", "", Open, 64, 5000)}
	f := &Folder{Run: Run{ID: "r1", Plan: points, Host: Host{OS: "linux", Arch: "amd64", CPU: "a cpu"}}}
	for i, p := range points {
		f.Trials = append(f.Trials, Trial{
			Schema: Schema, Run: "r1", Trial: i, Point: p, Requests: 3000, ThroughputRPS: 1000.5,
			LatencyNS: map[string]Latency{"service": {P50: 50_000, P90: 60_000, P99: 70_000, Max: 90_000, Mean: 51_000, Count: 3000}},
			CPU:       &CPU{ServerNSPerReq: 6500, ClientNSPerReq: 5000, ServerUtil: 0.5, ClientUtil: 0.4},
			Memory:    map[string]uint64{"pss": 1 << 20, "go_heap": 1 << 19},
			Sched:     map[string]float64{"polls": 3001},
		})
	}
	invalid := f.Trials[0]
	invalid.Trial, invalid.Flags = 3, []Flag{{Code: "bad_answers", Level: Invalid}, {Code: "cpu_overlap", Level: Warn}}
	failed := Trial{Schema: Schema, Run: "r1", Trial: 4, Point: points[1], Failed: "the server ended"}
	f.Trials = append(f.Trials, invalid, failed)
	return f
}

func TestTablesAreAsWritten(t *testing.T) {
	f := sample()
	f.Dir = t.TempDir()
	if err := f.Export(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"bench.txt", "summary.csv"} {
		got, err := os.ReadFile(filepath.Join(f.Dir, name))
		if err != nil {
			t.Fatal(err)
		}
		golden := filepath.Join("testdata", name)
		if *update {
			os.MkdirAll("testdata", 0o755)
			os.WriteFile(golden, got, 0o644)
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestTheBenchmarkFormatIsReadAsMeant(t *testing.T) {
	var text bytes.Buffer
	if err := sample().WriteBench(&text); err != nil {
		t.Fatal(err)
	}
	r := benchfmt.NewReader(&text, "bench.txt")
	var names []string
	for r.Scan() {
		switch rec := r.Result().(type) {
		case *benchfmt.SyntaxError:
			t.Error(rec)
		case *benchfmt.Result:
			names = append(names, string(rec.Name))
			if v, ok := rec.Value("server-cpu-sec/req"); !ok || math.Abs(v-6.5e-6) > 1e-12 {
				t.Errorf("%s: CPU per request is read as %v, %v", rec.Name, v, ok)
			}
			if v, ok := rec.Value("p99-service-sec"); !ok || math.Abs(v-70e-6) > 1e-12 {
				t.Errorf("%s: p99 is read as %v, %v", rec.Name, v, ok)
			}
		}
	}
	want := []string{
		"HTTP/engine=coop/conns=64/rate=0", "HTTP/engine=coop/variant=await/conns=64/rate=0", "HTTP/engine=preempt/conns=64/rate=5000",
	}
	if !slices.Equal(names, want) {
		t.Errorf("names %q", names)
	}
	for unit, better := range map[string]string{"req/s": "higher", "p99-service-sec": "lower", "pss-B": "lower"} {
		if m := r.Units().Get(unit, "better"); m == nil || m.Value != better {
			t.Errorf("%s: %+v", unit, m)
		}
	}
}

func TestNamesOfBenchmarksHaveNoBlanksAndNoStraySlashes(t *testing.T) {
	tr := &Trial{Point: Point{Engine: "coop", Workload: "echo", Params: map[string]any{"http.path": "/a b", "conns": 1.0, "coop.yield": "5µs"}}}
	got := string(benchName(tr, []string{"conns", "http.path", "coop.yield", "absent"}))
	if want := "Echo/engine=coop/conns=1/http.path=_a_b/coop.yield=5us"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestParametersReadAsTheyWereGiven(t *testing.T) {
	p := Point{Params: map[string]any{
		"conns": 64.0, "memlimit": float64(1 << 40), "share": 0.05, "warmup": "1.5s", "coop.yield": "0s", "coop.procs": 0.0, "cooper.x": 1.0,
	}}
	for name, want := range map[string]string{
		"conns": "64", "memlimit": "1099511627776", "share": "0.05", "warmup": "1.5s", "none": "",
	} {
		if got := p.Text(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if p.Number("conns") != 64 || p.Number("warmup") != 0 || p.Duration("warmup").String() != "1.5s" || p.Duration("conns") != 0 {
		t.Error("numbers and durations")
	}
	if got := fmt.Sprint(p.Options("coop")); got != "map[procs:0 yield:0s]" {
		t.Errorf("options %s", got)
	}
}

func TestVaryingParametersTellPointsApart(t *testing.T) {
	points := []Point{
		{Params: map[string]any{"conns": 1.0, "depth": 1.0, "coop.yield": "0s"}},
		{Params: map[string]any{"conns": 2.0, "depth": 1.0, "coop.yield": "1ms"}},
		{Params: map[string]any{"conns": 2.0, "depth": 1.0, "loop.x": 5.0}},
	}
	if got := fmt.Sprint(Varying(points)); got != "[conns coop.yield]" {
		t.Errorf("got %s", got)
	}
}

func TestTablesKeepTheTrialsOfTwoExperimentsApart(t *testing.T) {
	f := &Folder{Dir: t.TempDir(), Run: Run{ID: "r"}}
	for i, experiment := range []string{"hog", "load", "load"} {
		tr := Trial{Run: "r", Trial: i, Requests: 10, WindowSeconds: 1, ThroughputRPS: 10}
		tr.Point = Point{Engine: "coop", Workload: "http", Mode: Open, Experiment: experiment, Params: map[string]any{"conns": 64.0, "rate": float64(1000 * i)}}
		f.Run.Plan, f.Trials = append(f.Run.Plan, tr.Point), append(f.Trials, tr)
	}
	var bench, csv bytes.Buffer
	if err := errors.Join(f.WriteBench(&bench), f.WriteCSV(&csv)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"HTTP/engine=coop/experiment=hog/conns=64 ", "HTTP/engine=coop/experiment=load/conns=64/rate=1000 "} {
		if !strings.Contains(bench.String(), want) {
			t.Errorf("no %q in\n%s", want, bench.String())
		}
	}
	if !strings.Contains(csv.String(), "r,0,0,hog,coop,") || !strings.Contains(csv.String(), "r,0,2,load,coop,") {
		t.Errorf("summary.csv:\n%s", csv.String())
	}
	varying := VaryingBy(f.Run.Plan)
	if a, b := loadName(f.Trials[0].Point, varying["hog"]), loadName(f.Trials[1].Point, varying["load"]); a != "hog-http-open-conns64" || b != "load-http-open-conns64-rate1000" {
		t.Errorf("histograms of %s and %s", a, b)
	}
}

func TestATrialWithoutAClientHasNoRequests(t *testing.T) {
	tr := Trial{Schema: Schema, Run: "r", Point: Point{Engine: "coop", Workload: "switch", Mode: Primitive, Params: map[string]any{}},
		Micro: &Micro{Operations: 10, NSPerOp: 50}}
	if err := check(t, tr); err != nil {
		t.Error(err)
	}
	text, _ := json.Marshal(tr)
	if strings.Contains(string(text), "requests") || strings.Contains(string(text), "throughput") {
		t.Errorf("%s", text)
	}
	var back Trial
	if err := json.Unmarshal(text, &back); err != nil || back.Micro.NSPerOp != 50 || back.Label() != "coop" {
		t.Errorf("%+v, %v", back, err)
	}
	for _, f := range tr.Figures() {
		if strings.Contains(f.Name, "req") {
			t.Errorf("a figure %s", f.Name)
		}
	}
}
