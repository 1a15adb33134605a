package reports

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"turnlab/harness/record"
)

// written holds the folder of each fixture's report: several tests read it.
var written = struct {
	sync.Mutex
	dirs map[string]string
}{dirs: map[string]string{}}

func TestMain(m *testing.M) {
	code := m.Run()
	stopBrowser()
	for _, dir := range written.dirs {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

// reportOf writes the report of a fixture once and returns its folder and page.
func reportOf(t testing.TB, name string) (dir, page string) {
	t.Helper()
	written.Lock()
	defer written.Unlock()
	dir, ok := written.dirs[name]
	if !ok {
		run, trials := loadFixture(t, name)
		var err error
		if dir, err = os.MkdirTemp("", "turnlab-report-"); err != nil {
			t.Fatal(err)
		}
		written.dirs[name] = dir
		if _, err := Write(run, trials, dir, fixtureOptions(name)); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, PageFile))
	if err != nil {
		t.Fatal(err)
	}
	return dir, string(text)
}

func fixtureFindings(name string) []Finding {
	if name != "oddities" {
		return nil
	}
	return []Finding{
		{Level: Claim, Title: "coop needs less CPU per request than <preempt>", Text: "0.73×, in 6 blocks.", Charts: []string{"echo-closed-cpu", "no-such-chart"}},
		{Level: Limit, Title: "threads was not measured", Text: "No trial of it was made."},
	}
}

var (
	drawing  = regexp.MustCompile(`(?s)<svg xmlns.*?</svg>`)
	packed   = regexp.MustCompile(`data:application/gzip;base64,[^"]*`)
	ofPacked = regexp.MustCompile(`\(\d[^)]*iB, `)
	head     = regexp.MustCompile(`(?s)<style>.*?</style>|<script>.*?</script>|'sha256-[^']*'`)
)

// skeleton leaves out of a page what has tests of its own, so that a difference can be read.
func skeleton(page string) []byte {
	page = drawing.ReplaceAllString(page, "<svg/>")
	page = packed.ReplaceAllString(page, "data:")
	page = ofPacked.ReplaceAllString(page, "(SIZE, ")
	return []byte(head.ReplaceAllString(page, "…"))
}

func TestReportsAreAsTheyWere(t *testing.T) {
	for name := range fixtures {
		run, trials := loadFixture(t, name)
		_, page := reportOf(t, name)
		golden(t, filepath.Join("testdata", name, "report.html"), skeleton(page))
		var terminal, markdown bytes.Buffer
		if err := Terminal(&terminal, run, trials, TerminalOptions{Options: fixtureOptions(name)}); err != nil {
			t.Fatal(err)
		}
		golden(t, filepath.Join("testdata", name, "terminal.txt"), terminal.Bytes())
		r := newReport(run, trials, fixtureOptions(name))
		r.illustrate()
		if err := r.markdown(&markdown); err != nil {
			t.Fatal(err)
		}
		golden(t, filepath.Join("testdata", name, "report.md"), markdown.Bytes())
	}
}

func TestTheSameRecordsGiveTheSameBytes(t *testing.T) {
	if testing.Short() {
		t.Skip("much to draw: not in -short")
	}
	run, trials := loadFixture(t, "oddities")
	dir, page := reportOf(t, "oddities")
	again := t.TempDir()
	if _, err := Write(run, trials, again, fixtureOptions("oddities")); err != nil {
		t.Fatal(err)
	}
	for _, name := range append(filesIn(t, filepath.Join(dir, ChartDir)), "../"+PageFile) {
		a, errA := os.ReadFile(filepath.Join(dir, ChartDir, name))
		b, errB := os.ReadFile(filepath.Join(again, ChartDir, name))
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Errorf("%s differs between two reports of the same records (%v, %v)", name, errA, errB)
		}
	}
	if len(page) == 0 {
		t.Error("the page is empty")
	}
}

func filesIn(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestEveryChartOfThePageIsAlsoAFile(t *testing.T) {
	dir, page := reportOf(t, "quick")
	files := strings.Join(filesIn(t, filepath.Join(dir, ChartDir)), " ")
	figures := regexp.MustCompile(`<figure id="([^"]+)"`).FindAllStringSubmatch(page, -1)
	if len(figures) != 16 {
		t.Errorf("%d charts, want eight for each of two workloads", len(figures))
	}
	for _, f := range figures {
		if !strings.Contains(files, f[1]+".png") || !strings.Contains(files, f[1]+".svg") {
			t.Errorf("chart %s has no file", f[1])
		}
	}
}

func TestNamesNeverBecomeMarkup(t *testing.T) {
	_, page := reportOf(t, "oddities")
	if n := strings.Count(page, "<script"); n != 1 {
		t.Errorf("the page has %d scripts, its own is one", n)
	}
	for _, bad := range []string{`<script>alert`, `<b>churn`, `</dev/null`, `<preempt>`} {
		if strings.Contains(drawing.ReplaceAllString(page, ""), bad) {
			t.Errorf("%q stands in the page as it was given", bad)
		}
	}
	for _, want := range []string{`exec/&lt;script&gt;alert(&#34;x&#34;)&lt;b&gt;`, "exec/خادم", `&lt;b&gt;churn`} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not in the page", want)
		}
	}
}

func TestThePolicyAllowsThePagesOwnStyleAndScriptAndNothingElse(t *testing.T) {
	_, page := reportOf(t, "quick")
	policy := regexp.MustCompile(`Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(page)
	if policy == nil || !strings.HasPrefix(policy[1], "default-src &#39;none&#39;") {
		t.Fatalf("policy %q", policy)
	}
	for _, part := range []string{"style", "script"} {
		m := regexp.MustCompile(`(?s)<` + part + `>(.*?)</` + part + `>`).FindStringSubmatch(page)
		sum := sha256.Sum256([]byte(m[1]))
		want := part + "-src &#39;sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "&#39;"
		if !strings.Contains(strings.ReplaceAll(policy[1], "&#43;", "+"), want) {
			t.Errorf("the policy has no hash of the %s in the page", part)
		}
	}
	if m := regexp.MustCompile(`\s(style|on\w+)="|(src|href)="(https?:)?//`).FindString(page); m != "" {
		t.Errorf("%q in the page: the policy forbids it, or it needs a network", m)
	}
}

func TestOldChartsGoAndOtherFilesStay(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"charts/old.png": "x", "charts/old.svg": "x", "charts/notes.txt": "x", "trials.jsonl": "x"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run, trials := loadFixture(t, "empty")
	if _, err := Write(run, trials, dir, Options{}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(filesIn(t, dir), " ") + ": " + strings.Join(filesIn(t, filepath.Join(dir, ChartDir)), " "); got != "charts report.html trials.jsonl: notes.txt" {
		t.Errorf("the folder holds %s", got)
	}
}

func TestAFolderThatCannotBeWrittenIsAnErrorThatNamesIt(t *testing.T) {
	run, trials := loadFixture(t, "empty")
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Write(run, trials, file, Options{}); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("writing into a file: %v", err)
	}
}

func TestAQuickRunNamesNoWinner(t *testing.T) {
	_, quick := reportOf(t, "quick")
	_, odd := reportOf(t, "oddities")
	if !strings.Contains(quick, "no winner is named: that takes 6 blocks") || strings.Contains(odd, "that takes 6 blocks") {
		t.Error("three blocks name no winner, and six do not say so")
	}
	if !strings.Contains(quick, "band: their range") || !strings.Contains(odd, "band: 95 % interval") {
		t.Error("charts must say what their bands are")
	}
}

func TestChecksGatherDoubtsTheGravestFirst(t *testing.T) {
	run, trials := loadFixture(t, "oddities")
	r := newReport(run, trials, Options{})
	var got []string
	for _, c := range r.checks {
		got = append(got, fmt.Sprintf("%s %s %d", c.Level, c.Code, c.Count))
	}
	want := "failed failed 9, missing not_run 3, invalid bad_answers 6, warn overloaded 6"
	if text := strings.Join(got, ", "); text != want {
		t.Errorf("checks %s, want %s", text, want)
	}
	c := count(trials)
	if c.Trials != 297 || c.Valid != 282 || c.Warned != 6 || c.Invalid != 6 || c.Failed != 9 {
		t.Errorf("counts %+v", c)
	}
}

func TestFindingsStandAtTheTopWithTheirCharts(t *testing.T) {
	_, page := reportOf(t, "oddities")
	findings := regexp.MustCompile(`(?s)<section id="findings">.*?</section>`).FindString(page)
	if n := strings.Count(findings, "<svg xmlns"); n != 1 {
		t.Errorf("%d drawings in the findings, want that of the one chart that exists", n)
	}
	if strings.Index(page, `id="findings"`) > strings.Index(page, `class="workload"`) {
		t.Error("findings stand below the workloads")
	}
	if _, quick := reportOf(t, "quick"); strings.Contains(quick, "Findings") {
		t.Error("a page without findings has a place for them")
	}
}

func TestThePageCarriesItsData(t *testing.T) {
	_, page := reportOf(t, "quick")
	links := packed.FindAllString(page, -1)
	if len(links) != 2 {
		t.Fatalf("%d files in the page, want trials and summary", len(links))
	}
	raw, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(strings.TrimPrefix(links[0], "data:application/gzip;base64,"), "&#43;", "+"))
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	lines := json.NewDecoder(z)
	n := 0
	for ; ; n++ {
		var trial record.Trial
		if err := lines.Decode(&trial); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if trial.Requests == 0 {
			t.Fatalf("trial %d has lost its figures", n)
		}
	}
	if n != 144 {
		t.Errorf("%d trials in the page, want 144", n)
	}
}

func TestAThousandTrialsMakeAPageBelowFiveMegabytes(t *testing.T) {
	if testing.Short() {
		t.Skip("much to draw: not in -short")
	}
	run, trials := largeFixture()
	r := newReport(run, trials, Options{})
	r.illustrate()
	var page bytes.Buffer
	if err := r.page(&page); err != nil {
		t.Fatal(err)
	}
	if len(trials) < 1000 || page.Len() > 5<<20 {
		t.Errorf("%d trials make a page of %d bytes", len(trials), page.Len())
	}
}

func TestTheTerminalNeverNeedsMoreThanEightyColumns(t *testing.T) {
	for name := range fixtures {
		text, err := os.ReadFile(filepath.Join("testdata", name, "terminal.txt"))
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			if n := utf8.RuneCountInString(line); n > 80 {
				t.Errorf("%s, line %d has %d columns: %s", name, i+1, n, line)
			}
			if strings.ContainsRune(line, '\x1b') {
				t.Errorf("%s, line %d is coloured though nobody asked", name, i+1)
			}
		}
	}
}

func TestColourAddsNothingButColour(t *testing.T) {
	run, trials := loadFixture(t, "oddities")
	var plain, colored bytes.Buffer
	if err := Terminal(&plain, run, trials, TerminalOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := Terminal(&colored, run, trials, TerminalOptions{Color: true}); err != nil {
		t.Fatal(err)
	}
	bare := regexp.MustCompile("\x1b\\[[0-9]*m").ReplaceAllString(colored.String(), "")
	if bare != plain.String() || colored.Len() == plain.Len() {
		t.Error("with its colours taken away, the text differs from the plain one, or there were none")
	}
}

func TestFilesAndPipesGetNoColour(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if WantsColor(f) || WantsColor(io.Discard) {
		t.Error("a file or a buffer was taken for a terminal")
	}
}

func TestControlCharactersFromRecordsDoNotReachTheTerminal(t *testing.T) {
	run, trials := loadFixture(t, "quick")
	trials[0].Failed = "\x1b[2J\x07gone\u009b31m"
	run.Notes = []string{"bell \x07"}
	var text bytes.Buffer
	if err := Terminal(&text, run, trials, TerminalOptions{}); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(text.String(), "\x1b\x07\u009b") || !strings.Contains(text.String(), "gone") {
		t.Error("a control character went through")
	}
}

func TestMarkdownTablesHoldTogetherWhateverTheNames(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "oddities", "report.md"))
	if err != nil {
		t.Fatal(err)
	}
	columns := 0
	for i, line := range strings.Split(string(text), "\n") {
		if !strings.HasPrefix(line, "|") {
			columns = 0
			continue
		}
		n := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|")
		if columns > 0 && n != columns {
			t.Errorf("line %d has %d bars, its table's head %d", i+1, n, columns)
		}
		columns = n
	}
	if strings.Contains(string(text), "<script>") {
		t.Error("a name became markup")
	}
	if got := mdCode("a ``` b"); !strings.HasPrefix(got, "````\n") {
		t.Errorf("code with a fence in it is fenced as %q", got)
	}
}

func TestTheCommandLineSurvivesTheShell(t *testing.T) {
	words := []string{"lab", "sweep", "--conns", "1..1024*4", "--set", `exec.command=sh -c 'echo "$HOME"'`, "", "a\nb", "~", "#x", "-"}
	out, err := exec.Command("sh", "-c", `printf '%s\0' `+shellLine(words)).Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00"); strings.Join(got, "\x01") != strings.Join(words, "\x01") {
		t.Errorf("the shell read %q, want %q", got, words)
	}
}

func TestChartsWhoseNamesWouldClashGetNamesOfTheirOwn(t *testing.T) {
	plan := []record.Point{fixturePoint("coop", "echo", 1, 0), fixturePoint("coop", "echo", 4, 0)}
	var trials []record.Trial
	_, all := quickFixture()
	for _, p := range plan {
		for _, transport := range []string{"ü", "ö"} {
			tr := all[0]
			tr.Point = record.Point{Engine: "coop", Workload: "echo", Mode: record.Closed, Params: map[string]any{
				"conns": p.Params["conns"], "transport": transport}}
			trials = append(trials, tr)
		}
	}
	r := newReport(fixtureRun(3, nil), trials, Options{})
	r.illustrate()
	seen := map[string]bool{}
	for _, f := range r.allFigures() {
		if seen[f.Chart.ID] {
			t.Errorf("two charts are called %s", f.Chart.ID)
		}
		seen[f.Chart.ID] = true
	}
	if !seen["echo-closed-transport-cpu"] || !seen["echo-closed-transport-cpu-2"] {
		t.Errorf("charts %v", seen)
	}
}

func TestWhatTheScriptReadsMatchesWhatItPointsAt(t *testing.T) {
	for name := range fixtures {
		run, trials := loadFixture(t, name)
		r := newReport(run, trials, Options{})
		r.illustrate()
		for _, f := range r.allFigures() {
			if n := len(f.Chart.Columns); n > 0 && n != len(f.Table.Rows) {
				t.Errorf("%s, %s: %d columns to point at and %d rows to read", name, f.Chart.ID, n, len(f.Table.Rows))
			}
			for i, s := range f.Chart.Series {
				if !f.Chart.Rows && f.Table.Columns[i+1].Name != s.Name {
					t.Errorf("%s, %s: series %d is %s and its column %s", name, f.Chart.ID, i, s.Name, f.Table.Columns[i+1].Name)
				}
			}
			if f.Chart.Footnote == "" || f.Chart.Alt == "" {
				t.Errorf("%s, %s does not say what its points are, or has no text for those who cannot see it", name, f.Chart.ID)
			}
		}
	}
}

func TestTheRowsOfAFindingFitATerminalHoweverManyFiguresTheyHave(t *testing.T) {
	f := Finding{Title: "A claim", Columns: []string{"with hogs", "without", "grew by", "against coop"}}
	for _, name := range []string{"coop", "an engine whose name is far longer than anybody would choose"} {
		cell := FindingCell{"65.5 ms", "51.7 ms to 104 ms"}
		f.Rows = append(f.Rows, FindingRow{Name: name, Cells: []FindingCell{cell, cell, cell, cell}, Verdict: NotShown})
	}
	var b strings.Builder
	if err := Terminal(&b, &record.Run{}, nil, TerminalOptions{Options: Options{Findings: []Finding{f}}}); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(b.String()) {
		if utf8.RuneCountInString(strings.TrimSuffix(line, "\n")) > terminalWidth {
			t.Errorf("too long: %s", line)
		}
	}
	if n := strings.Count(b.String(), NotShown); n != 2 {
		t.Errorf("%d verdicts, want 2:\n%s", n, b.String())
	}
}
