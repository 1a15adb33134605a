package record

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"turnlab/internal/misuse"
)

// aTimeline has a request of each kind: answered, unanswered, and one that had begun before.
func aTimeline() *Timeline {
	return &Timeline{
		Schema: Schema, Name: "coop", Point: Point{Engine: "coop", Workload: "hog", Mode: Open}, Source: SourcePolls,
		SpanNS: 100, CPUNS: 50, Tracks: []string{"executor 1"}, Tasks: []Task{{Name: "conn 1", Class: Hog}, {Name: "conn 2", Class: Innocent}},
		Slices:   []Slice{{0, 0, Running, 10, 40, Hog}, {1, -1, Ready, 20, 40, Innocent}, {1, 0, Running, 40, 45, Innocent}},
		Requests: []Request{{1, Innocent, -5, 10}, {0, Hog, 9, 41}, {1, Innocent, 20, 46}, {1, Innocent, 80, 0}},
	}
}

func TestTimelinesReadBackInTheOrderOfTheirFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a [strange] *name?")
	first, second := *aTimeline(), *aTimeline()
	second.Name = "threads"
	for name, tl := range map[string]*Timeline{"02-threads": &second, "01-coop": &first} {
		if err := SaveTimeline(dir, name, tl); err != nil {
			t.Fatal(err)
		}
	}
	os.WriteFile(filepath.Join(dir, TimelineDir, "01-coop"+TraceSuffix), []byte("for others"), 0o644)
	got, err := LoadTimelines(dir)
	if err != nil || !reflect.DeepEqual(got, []Timeline{first, second}) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestARunWithoutTimelinesIsNoError(t *testing.T) {
	if got, err := LoadTimelines(t.TempDir()); err != nil || len(got) > 0 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestADamagedTimelineIsAnErrorWithItsPlace(t *testing.T) {
	for want, text := range map[string]string{
		"is damaged":      "no json",
		"in schema":       `{"schema":"turnlab/9"}`,
		"of task 1 of 0":  `{"schema":"turnlab/1","slices":[{"task":1,"track":-1}]}`,
		"track 2 of 0":    `{"schema":"turnlab/1","tasks":[{}],"slices":[{"track":2}]}`,
		"from 5 to 4":     `{"schema":"turnlab/1","tasks":[{}],"tracks":["P"],"slices":[{"from_ns":5,"to_ns":4}]}`,
		"a request is of": `{"schema":"turnlab/1","requests":[{"task":0}]}`,
	} {
		dir := t.TempDir()
		os.Mkdir(filepath.Join(dir, TimelineDir), 0o755)
		os.WriteFile(filepath.Join(dir, TimelineDir, "x.json"), []byte(text), 0o644)
		_, err := LoadTimelines(dir)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "x.json") {
			t.Errorf("%s: got %v", want, err)
		}
	}
}

func TestTimelinesNeedAFolderThatCanBeMade(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	os.WriteFile(file, nil, 0o644)
	if err := SaveTimeline(file, "x", aTimeline()); !misuse.Is(err) {
		t.Errorf("got %v", err)
	}
}

func TestTheLongestWaitCountsRequestsThatHaveNoReplyYet(t *testing.T) {
	tl := aTimeline()
	if r, wait, ok := tl.Longest(Innocent); !ok || wait != 26 || r.ArrivedNS != 20 {
		t.Errorf("got %+v, %d, %v", r, wait, ok)
	}
	tl.Requests[3].ArrivedNS = 50
	if r, wait, ok := tl.Longest(Innocent); !ok || wait != 50 || r.RepliedNS != 0 {
		t.Errorf("got %+v, %d, %v", r, wait, ok)
	}
	if _, _, ok := tl.Longest("behind"); ok {
		t.Error("a class without requests has a longest wait")
	}
}

func TestCoverageIsTheShareOfCPUTimeThatIsDrawn(t *testing.T) {
	tl := aTimeline()
	if share, ok := tl.Coverage(); !ok || share != 0.7 {
		t.Errorf("got %v, %v", share, ok)
	}
	tl.CPUNS = 0
	if _, ok := tl.Coverage(); ok {
		t.Error("a share of nothing")
	}
}

func TestATimelineIsDisturbedFromATwentiethOfItsSpanOn(t *testing.T) {
	tl := aTimeline()
	if tl.StolenNS, tl.LateNS = 3, 2; tl.Disturbed() {
		t.Error("disturbed by 5 of 100")
	}
	if tl.LateNS = 3; !tl.Disturbed() {
		t.Error("not disturbed by 6 of 100")
	}
}

func TestHowTimelinesWereMadeIsKeptBesideThem(t *testing.T) {
	dir := t.TempDir()
	if about, err := LoadAbout(dir); err != nil || !reflect.DeepEqual(about, &Run{}) {
		t.Errorf("of a folder that says nothing: %+v, %v", about, err)
	}
	made := &Run{Version: "v1", StartedUnix: 5, Command: []string{"lab", "timeline"}, Host: Host{CPUs: 2, CPU: "Example"}}
	if err := SaveAbout(dir, made); err != nil {
		t.Fatal(err)
	}
	if about, err := LoadAbout(dir); err != nil || !reflect.DeepEqual(about, made) {
		t.Errorf("got %+v, %v", about, err)
	}
	if HoldsRun(dir) {
		t.Error("a folder of timelines is taken for a run's")
	}
	if err := os.WriteFile(filepath.Join(dir, aboutFile), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadAbout(dir); err == nil || !strings.Contains(err.Error(), aboutFile+" is damaged") {
		t.Errorf("of a damaged file: %v", err)
	}
}

func TestALabelSaysOfWhichRunItIs(t *testing.T) {
	p := Point{Engine: "coop", Variant: "await", InRun: "before"}
	if p.Label() != "coop/await (before)" {
		t.Errorf("got %s", p.Label())
	}
}
