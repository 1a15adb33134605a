package record

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Names from records become parts of file names and of lines of text: of histograms, charts, benchmarks, folders of reports.
// Records may be a stranger's. So they are held to this when they are read, and nobody has to think of it later.

// maxName bounds a name, in bytes: a few of them fit into the name of a file, which has 255.
const maxName = 100

// checkName makes sure that a name is part of a file's name and of a line, and never a path or more than a line.
func checkName(what, name string) error {
	odd := func(r rune) bool {
		return r == '/' || r == '\\' || r == utf8.RuneError || unicode.IsSpace(r) || !unicode.IsPrint(r)
	}
	switch {
	case name == "":
		return fmt.Errorf("it has no %s", what)
	case len(name) > maxName:
		return fmt.Errorf("its %s has %d bytes, and a name has at most %d", what, len(name), maxName)
	case strings.ContainsFunc(name, odd):
		return fmt.Errorf("its %s is %q, which is no name: it may have no slashes, blanks and control characters", what, name)
	}
	return nil
}

// check makes sure that a point is one that this lab could have made, as far as its names and the kinds of its values go.
func (p Point) check() error {
	for _, n := range []struct{ what, name string }{{"engine", p.Engine}, {"workload", p.Workload}} {
		if err := checkName(n.what, n.name); err != nil {
			return err
		}
	}
	for _, n := range []struct{ what, name string }{{"variant", p.Variant}, {"experiment", p.Experiment}, {"arm", p.Arm}} {
		if n.name == "" {
			continue // these need not be there
		}
		if err := checkName(n.what, n.name); err != nil {
			return err
		}
	}
	if p.Mode != Closed && p.Mode != Open && p.Mode != Primitive {
		return fmt.Errorf("its mode is %q, and there are %s, %s and %s", p.Mode, Closed, Open, Primitive)
	}
	return checkParams(p.Params)
}

func checkParams(params map[string]any) error {
	for name, value := range params {
		if err := checkName("parameter's name", name); err != nil {
			return err
		}
		switch value.(type) {
		case string, float64:
		default:
			return fmt.Errorf("its parameter %s is neither a number nor a text", name)
		}
	}
	return nil
}

// check makes sure that the names in a run are names, and that its order is of its points.
func (r *Run) check() error {
	if err := checkName("id", r.ID); err != nil {
		return err
	}
	for i, p := range r.Plan {
		if err := p.check(); err != nil {
			return fmt.Errorf("point %d: %w", i, err)
		}
	}
	for block, order := range r.Order {
		for _, i := range order {
			if i < 0 || i >= len(r.Plan) {
				return fmt.Errorf("block %d has point %d of %d", block, i, len(r.Plan))
			}
		}
	}
	for i, c := range r.Calibrations {
		if err := checkParams(c.Params); err != nil {
			return fmt.Errorf("calibration %d: %w", i, err)
		}
	}
	return nil
}

// check makes sure that a trial's names are names and that its place in the run is one.
func (t *Trial) check() error {
	if t.Block < 0 || t.Trial < 0 || t.Repeat < 0 {
		return fmt.Errorf("it is trial %d of block %d, repetition %d", t.Trial, t.Block, t.Repeat)
	}
	return t.Point.check()
}
