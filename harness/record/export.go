package record

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/perf/benchfmt"
)

// Export writes bench.txt, summary.csv and hist from the records. It may be called as often as one likes.
func (f *Folder) Export() error {
	for name, write := range map[string]func(io.Writer) error{"bench.txt": f.WriteBench, "summary.csv": f.WriteCSV} {
		var text bytes.Buffer
		if err := write(&text); err != nil {
			return fmt.Errorf("make %s: %w", name, err)
		}
		if err := writeFile(filepath.Join(f.Dir, name), text.Bytes()); err != nil {
			return err
		}
	}
	return f.writeHistograms()
}

// WriteBench writes the valid trials in the Go benchmark format, one line each, so that benchstat can compare them:
//
//	benchstat -col /engine,/variant bench.txt
//
// A name holds the connections and what else varies within the run. Invalid trials are left out, because benchstat knows
// no doubt; a comment says how many. So are those of a second arm (see Again), which would count an engine twice.
func (f *Folder) WriteBench(w io.Writer) error {
	out := benchfmt.NewWriter(w)
	units := map[string]bool{}
	varying := VaryingBy(f.Run.Plan)
	invalid := 0
	for i := range f.Trials {
		t := &f.Trials[i]
		if t.Arm != "" {
			continue
		}
		if !t.Valid() {
			invalid++
			continue
		}
		r := &benchfmt.Result{Config: f.config(), Name: benchName(t, varying[t.Experiment]), Iters: int(max(t.iterations(), 1))}
		for _, figure := range t.Figures() {
			if figure.Unit == "" {
				continue
			}
			if err := writeUnit(out, figure, units); err != nil {
				return err
			}
			r.Values = append(r.Values, benchfmt.Value{Value: figure.Value, Unit: figure.Unit})
		}
		if err := out.Write(r); err != nil {
			return err
		}
	}
	if invalid > 0 {
		_, err := fmt.Fprintf(w, "# %d of %d trials are invalid or failed and not here; trials.jsonl has them\n", invalid, len(f.Trials))
		return err
	}
	return nil
}

// iterations is how often the trial did what its figures are of.
func (t *Trial) iterations() uint64 {
	if t.Micro != nil {
		return t.Micro.Operations
	}
	return t.Requests
}

// config is what benchstat prints above its tables.
func (f *Folder) config() []benchfmt.Config {
	var out []benchfmt.Config
	for _, pair := range [][2]string{
		{"goos", f.Run.Host.OS}, {"goarch", f.Run.Host.Arch}, {"pkg", "turnlab"}, {"cpu", f.Run.Host.CPU}, {"run", f.Run.ID},
	} {
		if pair[1] != "" {
			out = append(out, benchfmt.Config{Key: pair[0], Value: []byte(pair[1]), File: true})
		}
	}
	return out
}

// writeUnit says once for each unit which direction is better.
func writeUnit(out *benchfmt.Writer, f Figure, seen map[string]bool) error {
	if f.Better == "" || seen[f.Unit] {
		return nil
	}
	seen[f.Unit] = true
	return out.Write(&benchfmt.UnitMetadata{
		UnitMetadataKey: benchfmt.UnitMetadataKey{Unit: f.Unit, Key: "better"}, OrigUnit: f.Unit, Value: f.Better,
	})
}

// benchName makes a name such as HTTP/engine=coop/variant=await/conns=64, with what else tells the points of the trial's
// experiment apart.
func benchName(t *Trial, varying []string) benchfmt.Name {
	params := append([]string{"conns"}, slices.DeleteFunc(slices.Clone(varying), func(s string) bool { return s == "conns" })...)
	name := strings.ToUpper(t.Workload[:1]) + t.Workload[1:]
	if t.Workload == "http" || t.Workload == "kv" {
		name = strings.ToUpper(t.Workload)
	}
	name += "/engine=" + word(t.Engine)
	if t.Variant != "" {
		name += "/variant=" + word(t.Variant)
	}
	if t.Experiment != "" {
		name += "/experiment=" + word(t.Experiment)
	}
	for _, p := range params {
		if text := t.Text(p); text != "" {
			name += "/" + p + "=" + word(text)
		}
	}
	return benchfmt.Name(name)
}

// word replaces what would end or split a benchmark's name.
func word(text string) string {
	return strings.NewReplacer(" ", "_", "\t", "_", "\n", "_", "/", "_", "µ", "u").Replace(text)
}

// WriteCSV writes one row per trial and figure, with the parameters as columns. A failed trial has one row, "failed".
func (f *Folder) WriteCSV(w io.Writer) error {
	params := paramNames(f.Trials)
	out := csv.NewWriter(w)
	head := append([]string{"run", "block", "trial", "experiment", "engine", "variant", "arm", "workload", "mode"}, params...)
	out.Write(append(head, "valid", "flags", "metric", "value")) // the Writer keeps its first error for Error
	for i := range f.Trials {
		t := &f.Trials[i]
		row := []string{t.Run, strconv.Itoa(t.Block), strconv.Itoa(t.Trial), t.Experiment, t.Engine, t.Variant, t.Arm, t.Workload, t.Mode}
		for _, p := range params {
			row = append(row, t.Text(p))
		}
		row = append(row, strconv.FormatBool(t.Valid()), flagCodes(t))
		figures := t.Figures()
		if t.Failed != "" {
			figures = []Figure{{Name: "failed", Value: 1}}
		}
		for _, figure := range figures {
			out.Write(append(slices.Clone(row), figure.Name, strconv.FormatFloat(figure.Value, 'f', -1, 64)))
		}
	}
	out.Flush()
	return out.Error()
}

// paramNames lists every parameter that some trial has, sorted.
func paramNames(trials []Trial) []string {
	all := map[string]bool{}
	for i := range trials {
		for name := range trials[i].Params {
			all[name] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

func flagCodes(t *Trial) string {
	codes := make([]string, len(t.Flags))
	for i, f := range t.Flags {
		codes[i] = f.Code
	}
	return strings.Join(codes, " ")
}
