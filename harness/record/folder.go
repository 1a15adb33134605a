package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sys/unix"

	"turnlab/internal/misuse"
)

// The files of a run's folder that are not made from others.
const (
	runFile    = "run.json"
	trialsFile = "trials.jsonl"
)

// A Folder is what was read from a run's folder.
type Folder struct {
	Dir    string
	Run    Run
	Trials []Trial
	Notes  []string // what was odd about the files
	whole  int64    // length of trials.jsonl without a torn last line
}

// Load reads a run's folder. A last line that was torn by a crash is left out and noted; any other damage is an error.
func Load(dir string) (*Folder, error) {
	f := &Folder{Dir: dir}
	text, err := os.ReadFile(filepath.Join(dir, runFile))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
		return nil, misuse.Errorf("%s is not a run: it has no %s", dir, runFile)
	}
	if err != nil {
		return nil, fmt.Errorf("read the run: %w", err)
	}
	if err := json.Unmarshal(text, &f.Run); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w", filepath.Join(dir, runFile), err)
	}
	if f.Run.Schema != Schema {
		return nil, misuse.Errorf("%s was written in schema %q and this lab reads %q: use the version that wrote it, %s",
			dir, f.Run.Schema, Schema, f.Run.Version)
	}
	if err := f.Run.check(); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w", filepath.Join(dir, runFile), err)
	}
	text, err = os.ReadFile(filepath.Join(dir, trialsFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the trials: %w", err)
	}
	return f, f.parse(text)
}

// Counted returns the run and its trials without those that were made to know the noise (see Again), of which the first arm
// is the engine, and without probes.
func (f *Folder) Counted() (*Run, []Trial) {
	run := f.Run
	run.Plan = slices.DeleteFunc(slices.Clone(run.Plan), func(p Point) bool { return p.Arm != "" })
	if len(run.Plan) < len(f.Run.Plan) {
		run.Order = nil // its indices are of the whole plan
	}
	return &run, slices.DeleteFunc(slices.Clone(f.Trials), func(t Trial) bool { return t.Arm != "" })
}

// parse reads the lines of trials.jsonl. Most of the time goes into decoding, so lines are decoded side by side: ten thousand
// trials are a hundred megabytes.
func (f *Folder) parse(text []byte) error {
	var lines [][]byte
	for len(text) > 0 {
		line, rest, whole := bytes.Cut(text, []byte("\n"))
		if !whole {
			f.Notes = append(f.Notes, fmt.Sprintf("line %d of %s is not complete and was left out", len(lines)+1, trialsFile))
			break
		}
		lines = append(lines, line)
		f.whole += int64(len(line)) + 1
		text = rest
	}
	f.Trials = make([]Trial, len(lines))
	bad := decodeEach(lines, f.Trials)
	for i := range f.Trials {
		if bad[i] == nil {
			bad[i] = f.Trials[i].check()
		}
	}
	for i, err := range bad {
		if err != nil {
			return fmt.Errorf("line %d of %s is damaged: %w", i+1, filepath.Join(f.Dir, trialsFile), err)
		}
	}
	return nil
}

// decodeEach decodes every line into its trial, on all CPUs, and returns the errors by line.
func decodeEach(lines [][]byte, into []Trial) []error {
	bad := make([]error, len(lines))
	workers := runtime.GOMAXPROCS(0)
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			for i := w; i < len(lines); i += workers {
				bad[i] = json.Unmarshal(lines[i], &into[i])
			}
		})
	}
	all.Wait()
	return bad
}

// A Writer adds trials to a run's folder.
type Writer struct {
	dir     string
	file    *os.File
	madeDir bool
	empty   bool // nothing was added yet
}

// Free returns nil when dir can become a run's folder: there is none yet, or an empty one.
func Free(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.Is(err, unix.ENOTDIR):
		return misuse.Errorf("%s is a file: choose another folder (--out)", dir)
	case err != nil:
		return misuse.Errorf("cannot look into %s: %w", dir, err)
	}
	for _, e := range entries {
		if e.Name() == runFile {
			return misuse.Errorf("%s holds a run already: choose another folder (--out), or continue that run (--resume)", dir)
		}
	}
	if len(entries) > 0 {
		return misuse.Errorf("%s is not empty and not a run: choose another folder (--out)", dir)
	}
	return nil
}

// Create makes a run's folder, which must be Free, with run.json in it.
func Create(dir string, run Run) (*Writer, error) {
	if err := Free(dir); err != nil {
		return nil, err
	}
	_, err := os.Stat(dir)
	w := &Writer{dir: dir, madeDir: errors.Is(err, fs.ErrNotExist), empty: true}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, misuse.Errorf("cannot make the run's folder: %w", err)
	}
	if err := w.Amend(run); err != nil {
		return nil, err
	}
	return w, w.open(os.O_CREATE|os.O_EXCL, 0)
}

// Reopen opens the folder of a run that was begun, so that more trials can follow.
func Reopen(dir string) (*Folder, *Writer, error) {
	f, err := Load(dir)
	if err != nil {
		return nil, nil, err
	}
	w := &Writer{dir: dir}
	return f, w, w.open(os.O_CREATE, f.whole)
}

// open opens trials.jsonl, cuts what follows its whole lines, and makes sure that nobody else adds to it.
func (w *Writer) open(flag int, whole int64) error {
	name := filepath.Join(w.dir, trialsFile)
	file, err := os.OpenFile(name, flag|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return fmt.Errorf("open the trials: %w", err)
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		file.Close()
		return misuse.Errorf("%s: another lab is writing to this run: wait until it has ended", w.dir)
	}
	if err := file.Truncate(whole); err != nil {
		file.Close()
		return fmt.Errorf("cut a torn line off %s: %w", name, err)
	}
	w.file = file
	return nil
}

// Add appends a trial. When it returns, the record is on the disk: hours of measuring must not hang on the last one.
func (w *Writer) Add(t *Trial) error {
	text, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("encode a trial: %w", err)
	}
	if _, err := w.file.Write(append(text, '\n')); err != nil {
		return fmt.Errorf("write a trial: %w", err)
	}
	w.empty = false
	if err := w.file.Sync(); err != nil {
		return fmt.Errorf("write a trial: %w", err)
	}
	return nil
}

// Amend writes run.json again, with what was not known when the run began.
func (w *Writer) Amend(run Run) error {
	text, err := json.MarshalIndent(run, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the run: %w", err)
	}
	return writeFile(filepath.Join(w.dir, runFile), append(text, '\n'))
}

// Close ends writing.
func (w *Writer) Close() error { return w.file.Close() }

// Discard ends writing and, when Create made the folder and no trial was added, takes the folder back: a run that could not
// begin must not stand in the way of the next try.
func (w *Writer) Discard() error {
	if err := w.Close(); err != nil || !w.empty {
		return err
	}
	err := errors.Join(os.Remove(filepath.Join(w.dir, trialsFile)), os.Remove(filepath.Join(w.dir, runFile)))
	if w.madeDir {
		err = errors.Join(err, os.Remove(w.dir))
	}
	return err
}

// writeFile writes a file whole or not at all.
func writeFile(name string, text []byte) error {
	tmp := name + ".tmp"
	err := writeSynced(tmp, text)
	if err == nil {
		err = os.Rename(tmp, name)
	}
	if err != nil {
		os.Remove(tmp)
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// writeSynced writes a file and waits until it is on the disk: a rename may get there before what was renamed.
func writeSynced(name string, text []byte) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Sync(), f.Close())
}
