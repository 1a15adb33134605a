package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"turnlab/experiments"
	"turnlab/harness/record"
)

// pages are what people read before they type something, and how many command lines each must at least have: a test that
// finds none because a page looks different proves nothing.
var pages = map[string]int{
	"README.md": 20, "METHODOLOGY.md": 4, "docs/experiments.md": 20, "docs/operations.md": 5, "docs/performance.md": 1,
	"examples/yardsticks/README.md": 1,
}

const root = "../.."

func page(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// blocks returns the code blocks of a page that are of a shell, or of nothing in particular.
func blocks(text string) (list []string) {
	for _, found := range regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```").FindAllStringSubmatch(text, -1) {
		if found[1] == "" || found[1] == "sh" {
			list = append(list, strings.ReplaceAll(found[2], "\\\n", " "))
		}
	}
	return list
}

// commandsIn returns the lines of a page's code blocks, and the code within its lines, that begin with a command.
func commandsIn(text, command string) (lines []string) {
	for _, block := range blocks(text) {
		for line := range strings.Lines(block) {
			if line = strings.TrimSpace(line); strings.HasPrefix(line, command+" ") {
				lines = append(lines, line)
			}
		}
	}
	prose := regexp.MustCompile("(?ms)^```.*?^```").ReplaceAllString(text, "")
	for _, found := range regexp.MustCompile("`("+regexp.QuoteMeta(command)+" [^`]+)`").FindAllStringSubmatch(prose, -1) {
		lines = append(lines, found[1])
	}
	return lines
}

// omitted is what a page leaves to the reader: "...", or an option's value that is "…".
var omitted = regexp.MustCompile(`(--\S+ )?(…|(^|\s)\.\.\.(\s|$))`)

// words splits a command line as the shell does, quotes and comments understood.
func words(t *testing.T, line string) []string {
	t.Helper()
	name, _, _ := strings.Cut(line, " ")
	out, err := exec.Command("sh", "-c", name+` () { printf '%s\0' `+name+` "$@"; }`+"\n"+omitted.ReplaceAllString(line, " ")).Output()
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
}

// Commands are carried out as far as that takes no time: those with --dry-run make their plan, those that read a run read one
// that was made up, and the others only read their flags.
var (
	planned = []string{"sweep", "bench"}
	readers = []string{"report", "compare", "fit"}
	runs    = []string{"DIR", "RUN", "BEFORE", "NOW", "results/before", "results/now", "results/full"} // on the pages
)

// makeUpRuns goes to an empty folder with the runs that pages speak of, in which all engines cost the same, and with a
// folder of timelines.
func makeUpRuns(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	for _, dir := range runs {
		m := madeUp{id: filepath.Base(dir), blocks: 6, conns: "1,2,4,8,16,32", engines: []string{"coop=6000", "preempt=6000"}, experiments: []string{"hog", "load"}}
		if err := m.write(dir); err != nil {
			t.Fatal(err)
		}
	}
	ran := record.Timeline{Schema: record.Schema, Name: "coop", Source: record.SourcePolls, SpanNS: 1e6, Tasks: []record.Task{{Name: "conn 1"}},
		Point: record.Point{Engine: "coop", Workload: "hog", Mode: record.Open, Params: map[string]any{"conns": 1.0, "rate": 100.0}}}
	if err := record.SaveTimeline("results/timeline", "01-coop", &ran); err != nil {
		t.Fatal(err)
	}
}

func tryCommand(t *testing.T, line string) {
	t.Helper()
	args := words(t, line)[1:]
	has := func(arg string) bool { return slices.Contains(args, arg) }
	switch {
	case has("--dry-run"), args[0] == "list", slices.Contains(readers, args[0]) && len(args) > 1:
	case slices.Contains(planned, args[0]) && !has("--resume"):
		args = append(args, "--dry-run")
	default:
		args = append(args, "--help")
	}
	var out, errs bytes.Buffer
	if code := Main(args, nil, &out, &errs); code != 0 || out.Len() == 0 {
		t.Errorf("%s: exit code %d: %s", line, code, errs.String())
	}
}

func TestCommandsOnThePagesCanBeCarriedOut(t *testing.T) {
	texts := map[string]string{}
	for name := range pages {
		texts[name] = page(t, name)
	}
	makeUpRuns(t)
	for name, least := range pages {
		lines := commandsIn(texts[name], "lab")
		if len(lines) < least {
			t.Errorf("%s: %d commands, want %d or more: %q", name, len(lines), least, lines)
		}
		for _, line := range lines {
			tryCommand(t, line)
		}
	}
}

func TestCommandsThatExperimentsSuggestCanBeCarriedOut(t *testing.T) {
	for _, e := range experiments.All {
		for _, line := range e.Next {
			if strings.HasPrefix(line, "lab ") {
				tryCommand(t, line)
			}
		}
	}
}

func TestExamplesInTheHelpCanBeCarriedOut(t *testing.T) {
	makeUpRuns(t)
	tried := 0
	for _, c := range rootCommand().Commands() {
		for line := range strings.Lines(c.Example) {
			tryCommand(t, strings.TrimSpace(line))
			tried++
		}
	}
	if tried < 5 {
		t.Errorf("%d examples", tried)
	}
}

func TestThePageOnExperimentsHasEveryQuestion(t *testing.T) {
	text := page(t, "docs/experiments.md")
	for _, e := range experiments.All {
		if !strings.Contains(text, "\n### "+e.Name+"\n\n*"+e.Question+"*") {
			t.Errorf("%s is not on the page with its question: %s", e.Name, e.Question)
		}
	}
}

// declared returns the functions of a package's tests whose names begin with kind.
func declared(t *testing.T, dir, kind string) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, dir, "*_test.go"))
	if err != nil || len(files) == 0 {
		t.Errorf("%s has no tests (%v)", dir, err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(`(?m)^func (`+kind+`\w+)\(`).FindAllStringSubmatch(string(text), -1) {
			names = append(names, found[1])
		}
	}
	return names
}

func TestTestsAndBenchmarksOnThePagesExist(t *testing.T) {
	tried := 0
	for name := range pages {
		for _, line := range commandsIn(page(t, name), "go") {
			args := words(t, line)[1:]
			if args[0] != "test" {
				continue
			}
			dir := args[len(args)-1]
			for flag, kind := range map[string]string{"-run": "Test", "-bench": "Benchmark"} {
				at := slices.Index(args, flag)
				if at < 0 || at+1 == len(args) || args[at+1] == "^$" {
					continue
				}
				tried++
				if !slices.ContainsFunc(declared(t, dir, kind), regexp.MustCompile(args[at+1]).MatchString) {
					t.Errorf("%s: %s: nothing matches %s", name, line, args[at+1])
				}
			}
		}
	}
	if tried < 3 {
		t.Errorf("%d patterns", tried)
	}
	have := declared(t, "coop", "Benchmark")
	_, primitives, _ := strings.Cut(page(t, "docs/performance.md"), "\n## The primitives\n")
	primitives, _, _ = strings.Cut(primitives, "\n## ")
	named := regexp.MustCompile("(?m)^\\| `(\\w+)[`/]").FindAllStringSubmatch(primitives, -1)
	for _, found := range named {
		if !slices.Contains(have, "Benchmark"+found[1]) {
			t.Errorf("docs/performance.md explains %s, and there is no such benchmark", found[1])
		}
	}
	if len(named) < 10 {
		t.Errorf("%d benchmarks are explained", len(named))
	}
}

func TestTargetsAndScriptsOnThePagesExist(t *testing.T) {
	targets, scripts := 0, 0
	for name := range pages {
		text := page(t, name)
		makefile := "Makefile"
		if near := filepath.Join(filepath.Dir(name), makefile); filepath.Dir(name) != "docs" {
			makefile = near
		}
		rules := page(t, makefile)
		for _, line := range commandsIn(text, "make") {
			targets++
			line, _, _ = strings.Cut(line, ";")
			for _, target := range words(t, line)[1:] {
				if !strings.Contains(target, "=") && !strings.Contains(rules, "\n"+target+":") {
					t.Errorf("%s: %s: %s has no target %s", name, line, makefile, target)
				}
			}
		}
		for _, script := range regexp.MustCompile(`(?:examples|docs)/[\w/]+\.sh`).FindAllString(text, -1) {
			scripts++
			if _, err := os.Stat(filepath.Join(root, script)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if targets < 4 || scripts < 4 {
		t.Errorf("%d targets, %d scripts", targets, scripts)
	}
}

// What the shell cannot read is found before somebody's quiet hour is spent on it.
func TestTheShellReadsScriptsAndBlocks(t *testing.T) {
	var texts [][2]string
	for _, pattern := range []string{"examples/*/*.sh", "docs/*.sh", ".ci/*"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(files) == 0 {
			t.Errorf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			texts = append(texts, [2]string{f, string(text)})
		}
	}
	for name := range pages {
		for _, block := range blocks(page(t, name)) {
			texts = append(texts, [2]string{name, block})
		}
	}
	for _, text := range texts {
		bash := exec.Command("bash", "-n")
		bash.Stdin = strings.NewReader(text[1])
		if out, err := bash.CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", text[0], err, out)
		}
	}
}

func TestTheMapHasEveryRoom(t *testing.T) {
	house := strings.ReplaceAll(blocks(page(t, "ARCHITECTURE.md"))[0], "/, ", "/  ")
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		dir, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		// What is behind coop's internal door is told in one line.
		if slices.Contains([]string{".git", "node_modules", "testdata", "results", "coop/internal"}, dir) || entry.Name() == "testdata" {
			return filepath.SkipDir
		}
		files, err := filepath.Glob(filepath.Join(path, "*.go"))
		named := strings.Contains(house, entry.Name()+"/ ") || strings.Contains(house, "\n"+filepath.Dir(dir)+"/ ") && strings.Count(dir, "/") > 1
		if len(files) > 0 && dir != "." && !named && dir != "examples" {
			t.Errorf("ARCHITECTURE.md does not say what is in %s", dir)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestMakeGoldenRemakesAllThatCanBeRemade(t *testing.T) {
	rules := page(t, "Makefile")
	_, recipe, _ := strings.Cut(rules, "\ngolden:")
	recipe, _, _ = strings.Cut(recipe, "\n\n")
	found := 0
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(text, []byte(`flag.Bool(`+`"update"`)) {
			return err
		}
		found++
		dir, err := filepath.Rel(root, filepath.Dir(path))
		if !strings.Contains(recipe+" ", " ./"+dir+" ") {
			t.Errorf("%s has golden files that make golden leaves alone", dir)
		}
		return err
	})
	if err != nil || found < 4 {
		t.Errorf("%d packages with golden files, %v", found, err)
	}
}
