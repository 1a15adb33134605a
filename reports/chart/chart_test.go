package chart

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/plot/cmpimg"
	"gonum.org/v1/plot/vg"

	"turnlab/reports/unit"
)

var update = flag.Bool("update", false, "rewrite the golden drawings")

// lines is a chart with whatever a line chart can have: bands, a gap, a stray, an interval without end, names to escape.
func lines() *Chart {
	looks := looksOf("coop", "coop/await", "preempt", "threads", "loop", "exec/<b>")
	xs := []float64{1, 4, 16, 64, 256, 1024}
	c := &Chart{
		ID: "lines", Title: "CPU per request", Subtitle: "http, closed loop · lower is better",
		Footnote: "median of 3 trials · band: their range · hollow: invalid", Alt: "Five <lines>", Columns: xs,
		X: Axis{Label: "connections", Scale: Log, Marks: xs, Names: []string{"1", "4", "16", "64", "256", "1024"}},
		Y: Axis{Unit: unit.Nanos},
	}
	for i, name := range []string{"loop", "coop", "coop/await", "preempt", "threads", "exec/<b>"} {
		s := Series{Name: name, Key: name, Look: looks[name]}
		for j, x := range xs {
			y := 5e3 + 600*float64(i) + 20e3/x
			p := Point{X: x, Y: y, Lo: 0.95 * y, Hi: 1.07 * y}
			switch {
			case name == "threads" && j == 4:
				p.Y = math.NaN()
				s.Strays = []Place{{X: x, Y: 15e3}}
			case name == "preempt" && j == 2:
				p.Lo, p.Hi = math.Inf(-1), math.Inf(1)
			}
			s.Points = append(s.Points, p)
		}
		c.Series = append(c.Series, s)
	}
	return c
}

// looksOf gives engines their looks, by their labels.
func looksOf(labels ...string) map[string]Look {
	var kinds []Kind
	for _, label := range labels {
		kinds = append(kinds, Kind{Label: label})
	}
	byLabel := map[string]Look{}
	for k, look := range Looks(kinds) {
		byLabel[k.Label] = look
	}
	return byLabel
}

// variants is a chart of the settings of two engines, with names that need room and a footnote of several lines.
func variants() *Chart {
	kinds := []Kind{{"coop", ""}, {"coop", "yield=100us"}, {"coop", "offload=1"}, {"coop/await", ""}, {"preempt", ""}, {"preempt", "procs=2"},
		{"preempt/nopreempt", ""}, {"preempt/nopreempt", "procs=2 gc-every=10ms"}, {"threads", ""}, {"threads/pool", ""}}
	looks, xs := Looks(kinds), []float64{1e6, 1e7, 5e7}
	c := &Chart{
		ID: "variants", Title: "p99 of innocent requests against the length of a burst, one request in a hundred",
		Subtitle: "p99 response time of innocent requests · open loop · lower is better",
		Footnote: "medians of 1–3 trials · band: their range · hollow: invalid · dotted: too few · 3 more in the table · and whatever else there is to say",
		X:        Axis{Label: "burst", Unit: unit.Nanos, Scale: Log, Marks: xs}, Y: Axis{Unit: unit.Nanos, Scale: Log}, Columns: xs,
	}
	for i, k := range kinds {
		s := Series{Name: strings.TrimSpace(k.Label + " " + k.Setting), Key: k.Label, Look: looks[k]}
		for j, x := range xs {
			y := 2e6 * math.Pow(1.5, float64(i)) * (1 + 0.3*float64(j*(i%3)))
			s.Points = append(s.Points, Point{X: x, Y: y, Lo: y, Hi: y})
		}
		c.Series = append(c.Series, s)
	}
	return c
}

func forest() *Chart {
	looks := looksOf("coop", "threads")
	return &Chart{
		ID: "forest", Title: "CPU per request against preempt", Subtitle: "left of 1 is cheaper", Footnote: "median of 3 blocks", Rows: true,
		X: Axis{Label: "ratio", Unit: unit.Times}, Rule: &Rule{X: 1, Lo: 0.98, Hi: 1.02},
		Series: []Series{
			{Name: "coop", Key: "coop", Look: looks["coop"], Note: "0.75×", Points: []Point{{X: 0.75, Lo: 0.7, Hi: 0.78}},
				Trials: []Place{{X: 0.7}, {X: 0.75}, {X: 0.78}}},
			{Name: "threads", Key: "threads", Look: looks["threads"], Note: "1.20×", Points: []Point{{X: 1.2, Lo: math.Inf(-1), Hi: math.Inf(1)}},
				Strays: []Place{{X: 1.4}}},
		},
	}
}

func spectrum() *Chart {
	c := &Chart{
		ID: "spectrum", Title: "Latency spectrum", X: Axis{Label: "percentile", Scale: Nines}, Y: Axis{Unit: unit.Nanos, Scale: Log},
		Spans: []Span{{From: 0, To: 0.5, Name: "half"}},
	}
	for _, name := range []string{"coop", "threads"} {
		s := Series{Name: name, Look: looksOf(name)[name], Bare: true}
		for k := range 30 {
			q := 1 - math.Pow(10, -float64(k)/8)
			s.Points = append(s.Points, Point{X: q, Y: 1e4 * math.Pow(float64(len(name)), float64(k)/10)})
		}
		c.Series = append(c.Series, s)
	}
	return c
}

// stacked has groups, parts, a legend and an interval of the sum.
func stacked() *Chart {
	c := &Chart{
		ID: "stacked", Title: "Memory per connection", Subtitle: "idle · lower is better", Footnote: "slope over 4 sizes", Rows: true, Bars: true,
		X: Axis{Label: "bytes per connection", Unit: unit.Bytes},
	}
	for i, name := range []string{"Go heap", "stacks of goroutines", "kernel stacks", "page tables", "socket buffers"} {
		c.Legend = append(c.Legend, Segment{Name: name, Ink: Parts[i]})
	}
	for i, name := range []string{"coop", "preempt", "threads"} {
		for _, group := range []string{"500 connections", "8k connections"} {
			s := Series{Name: name, Key: name, Look: looksOf(name)[name], Group: group, Note: "12 KiB"}
			sum := 0.0
			for _, part := range c.Legend {
				part.Value = float64(800*(i+1) + 500*len(group))
				s.Parts = append(s.Parts, part)
				sum += part.Value
			}
			s.Points = []Point{{X: sum, Lo: 0.9 * sum, Hi: 1.08 * sum}}
			c.Series = append(c.Series, s)
		}
	}
	slices.SortStableFunc(c.Series, func(a, b Series) int { return strings.Compare(a.Group, b.Group) })
	return c
}

// strips has trials as dots, and a row whose trials do not count.
func strips() *Chart {
	c := &Chart{ID: "strips", Title: "p99 response time", Footnote: "median of 10 trials · dots: trials", Rows: true, Dots: true,
		X: Axis{Label: "p99", Unit: unit.Nanos}}
	for i, name := range []string{"coop", "preempt"} {
		s := Series{Name: name, Key: name, Look: looksOf(name)[name], Note: "1 ms", Points: []Point{{X: 1e6, Lo: 0.97e6, Hi: 1.1e6}}}
		for j := range 10 {
			s.Trials = append(s.Trials, Place{X: 1e6 * (1 + 0.1*math.Sin(float64(i+j*j)))})
		}
		c.Series = append(c.Series, s)
	}
	c.Series[1].Strays = []Place{{X: 1.4e6}}
	return c
}

// heat has every kind of tile: values on the whole ramp, one that does not count, and one that does not exist.
func heat() *Chart {
	h := &Heat{XLabel: "burst", YLabel: "share of hogs", XNames: []string{"100 µs", "1 ms", "10 ms", "100 ms"},
		YNames: []string{"0.1 %", "1 %", "10 %"}, Range: Range{Min: 1e5, Max: 1e9}}
	for row := range 3 {
		var tiles []Tile
		for column := range 4 {
			x := math.Pow(10, 5+float64(row+column)*0.8)
			tiles = append(tiles, Tile{Value: x, Text: unit.Nanos.Format(x), Tip: fmt.Sprintf("cell %d <%d>", row, column)})
		}
		h.Cells = append(h.Cells, tiles)
	}
	h.Cells[0][1].Note, h.Cells[1][3].Note = "1 trial", "2 trials"
	h.Cells[2][3] = Tile{Value: 1e9, Text: "1.00 s", Doubt: "overloaded"}
	h.Cells[2][2] = Tile{Value: math.NaN(), Doubt: "not run"}
	return &Chart{ID: "heat", Title: "p99 of the innocent, coop", Subtitle: "response time · lower is better",
		Footnote: "medians of 1–3 trials · hatched: does not count", Heat: h}
}

func empty() *Chart {
	return &Chart{ID: "empty", Title: "Nothing", Y: Axis{Scale: Log}, Series: []Series{{Name: "coop", Points: []Point{{X: 1, Y: math.NaN()}}}}}
}

func render(t *testing.T, write func(io.Writer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestDrawingsAreAsTheyWere(t *testing.T) {
	for _, c := range []*Chart{lines(), variants(), forest(), spectrum(), stacked(), strips(), heat(), gantt(), empty()} {
		svg, png := render(t, c.SVGFile), render(t, c.PNG)
		name := filepath.Join("testdata", c.ID)
		if *update {
			for ext, content := range map[string][]byte{".svg": svg, ".png": png} {
				if err := os.WriteFile(name+ext, content, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			continue
		}
		if want, err := os.ReadFile(name + ".svg"); err != nil || !bytes.Equal(want, svg) {
			t.Errorf("%s.svg has changed (%v); run with -update if it was meant", c.ID, err)
		}
		want, err := os.ReadFile(name + ".png")
		if err != nil {
			t.Fatal(err)
		}
		// A small difference of each pixel is allowed: the same arithmetic rounds differently on other processors.
		if same, err := cmpimg.EqualApprox("png", png, want, 0.05); err != nil || !same {
			t.Errorf("%s.png has changed (%v); run with -update if it was meant", c.ID, err)
		}
	}
}

func TestAnSVGIsWellFormedWhateverTheNames(t *testing.T) {
	c := lines()
	for i, name := range []string{`<script>alert("x")</script>`, `"quoted" & 'so'`, "خادم", "]]>", "a\x00b", strings.Repeat("long", 99)} {
		c.Series[i].Name, c.Series[i].Key = name, name
	}
	c.Title, c.Alt = `<b>"&'`, `<b>"&'`
	text := render(t, c.SVG)
	for d := xml.NewDecoder(bytes.NewReader(text)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok && (e.Name.Local == "script" || e.Name.Local == "b") {
			t.Errorf("a name became the element %s", e.Name.Local)
		}
	}
}

func TestADrawingInAPageHasNoStyleOfItsOwn(t *testing.T) {
	if text := string(render(t, lines().SVG)); regexp.MustCompile(`style|#[0-9a-f]{6}|\bid=|href|url\(`).MatchString(text) {
		t.Error("styles, colours, ids or references in a drawing for a page: its policy refuses them, or they clash with the page's")
	}
	file := string(render(t, lines().SVGFile))
	if !strings.Contains(file, "prefers-color-scheme:dark") || !strings.Contains(file, `width="440"`) {
		t.Error("a drawing in a file of its own brings its size and its colours for both papers")
	}
}

func TestALineHasAGapWhereNothingValidWasMeasured(t *testing.T) {
	c := lines()
	threads := c.Series[4]
	l := line{series: &threads, chart: c}
	runs := l.runs()
	if len(runs) != 2 || len(runs[0]) != 4 || len(runs[1]) != 1 {
		t.Errorf("a line with a gap at its fifth of six points has runs %v", runs)
	}
}

func TestTheScriptFindsColumnsAndSeries(t *testing.T) {
	c := lines()
	text := string(render(t, c.SVG))
	columns := regexp.MustCompile(`data-columns="([^"]*)"`).FindStringSubmatch(text)
	if columns == nil || len(strings.Fields(columns[1])) != 6 {
		t.Fatalf("columns %v, want six places", columns)
	}
	for i, s := range c.Series {
		want := 2 // one group for the line and one for its label
		if s.Strays != nil {
			want++
		}
		if n := strings.Count(text, fmt.Sprintf(`data-series="%d"`, i)); n != want {
			t.Errorf("series %d has %d groups, want %d", i, n, want)
		}
	}
}

func TestHollowMarkersLieBeneathWhatCounts(t *testing.T) {
	c := lines()
	text := string(render(t, c.SVG))
	place := func(series int) int { return strings.Index(text, fmt.Sprintf(`data-series="%d"`, series)) }
	if hollow, line := place(4), place(0); c.Series[4].Strays == nil || hollow < 0 || hollow > line {
		t.Errorf("hollow markers at byte %d, the first line at %d", hollow, line)
	}
}

func TestTheMarkersAreWhereTheColumnsAre(t *testing.T) {
	c := lines()
	c.Series = c.Series[1:2] // coop: circles
	text := string(render(t, c.SVG))
	columns := strings.Fields(regexp.MustCompile(`data-columns="([^"]*)"`).FindStringSubmatch(text)[1])
	circles := regexp.MustCompile(`class="f-blue0" d="M([0-9.]+) `).FindAllStringSubmatch(text, -1)
	var at []string
	for _, m := range circles {
		var x float64
		fmt.Sscan(m[1], &x)
		at = append(at, short(x-float64(markerRadius)))
	}
	if got := strings.Join(at, " "); !strings.HasPrefix(got, strings.Join(columns, " ")) || len(at) != len(columns)+1 {
		t.Errorf("markers at %s, columns at %s, and one marker before the name", got, columns)
	}
}

func TestNamesAreShownWholeHoweverLong(t *testing.T) {
	c := variants()
	rows := &Chart{ID: "rows", Rows: true, Series: slices.Clone(c.Series)}
	for i := range rows.Series {
		rows.Series[i].Name += " at 64 connections and 10 ms"
	}
	for _, c := range []*Chart{c, rows} {
		text := string(render(t, c.SVG))
		if strings.Contains(text, "…") {
			t.Errorf("%s: something is cut", c.ID)
		}
		for _, s := range c.Series {
			for _, word := range strings.Fields(s.Name) {
				if !strings.Contains(text, word) {
					t.Errorf("%s: %q of %s is not in the drawing", c.ID, word, s.Name)
				}
			}
		}
	}
}

func TestAHeatMapTellsEachCellToWhoeverPointsAtIt(t *testing.T) {
	text := string(render(t, heat().SVG))
	if n := strings.Count(text, "<title>cell "); n != 10 || !strings.Contains(text, "<title>cell 1 &lt;3&gt;</title>") {
		t.Errorf("%d cells have a text of their own, want ten", n)
	}
	for _, note := range []string{">1 trial<", ">2 trials<"} {
		if !strings.Contains(text, note) {
			t.Errorf("no cell says %s", note)
		}
	}
}

func TestABandIsDrawnWhereThereIsASpreadAndACompanionHasNone(t *testing.T) {
	bands := func(change func(*Series)) int {
		c := lines()
		c.Series = c.Series[1:2]
		change(&c.Series[0])
		return strings.Count(string(render(t, c.SVG)), `fill-opacity="0.16"`)
	}
	none := func(s *Series) {
		for i := range s.Points {
			s.Points[i].Lo, s.Points[i].Hi = s.Points[i].Y, s.Points[i].Y
		}
	}
	for i, got := range []int{
		bands(func(*Series) {}), bands(func(s *Series) { s.Bare = true }), bands(func(s *Series) { s.Unnamed = true }), bands(none),
	} {
		if want := []int{1, 1, 0, 0}[i]; got != want {
			t.Errorf("case %d has %d bands, want %d", i, got, want)
		}
	}
}

func TestADrawingInAFileBringsTheColoursThatItHasAndNoOthers(t *testing.T) {
	text := string(render(t, forest().SVGFile))
	style, body, _ := strings.Cut(text, "</style>")
	for _, class := range regexp.MustCompile(`[fs]-[a-z0-9-]+`).FindAllString(body, -1) {
		if !strings.Contains(style, "."+class+"{") {
			t.Errorf("%s has no colour", class)
		}
	}
	if strings.Contains(style, "heat3") || strings.Contains(style, "innocent") {
		t.Error("the drawing brings colours that it has not")
	}
}

func TestMoreSeriesThanCanBeToldApartAreAMistakeOfTheCaller(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a chart of thirteen series was drawn")
		}
	}()
	c := lines()
	for len(c.Series) <= MaxSeries {
		c.Series = append(c.Series, c.Series[0])
	}
	_ = c.SVG(io.Discard)
}

func TestLongTextsAreCutAndNeverRunOutOfTheDrawing(t *testing.T) {
	sty := style(Text, 12, 0, 0)
	for _, width := range []float64{0, 5, 50, 200} {
		got := fit(sty, "a rather long text, which nobody shortened", vg.Length(width))
		if w := sty.Width(got); float64(w) > width && got != "…" {
			t.Errorf("%q is %v wide, more than %v", got, w, width)
		}
	}
	if got := fit(sty, "short", 200); got != "short" {
		t.Errorf("a text that fits became %q", got)
	}
}

func TestHeightsAreLogarithmicOnlyWhereALinearAxisWouldPressThemFlat(t *testing.T) {
	for _, c := range []struct {
		min, max float64
		want     Scale
	}{{1, 20, Linear}, {1, 100, Log}, {0, 100, Linear}, {-5, 100, Linear}} {
		if got := UpperScale(c.min, c.max); got != c.want {
			t.Errorf("%v to %v: scale %v, want %v", c.min, c.max, got, c.want)
		}
	}
}

func TestABrokenPipeIsReported(t *testing.T) {
	broken := errors.New("broken")
	for name, write := range map[string]func(io.Writer) error{"svg": lines().SVG, "png": lines().PNG} {
		if err := write(failing{broken}); !errors.Is(err, broken) {
			t.Errorf("%s: %v, want the writer's error", name, err)
		}
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
