// Package mutant plants mistakes in source, for tests that have to prove that they would find them.
//
// A test that finds nothing may be blind. So mistakes that somebody might make are planted one by one, and the test has to
// find each. They are edits of the text and not switches in the source: the source stays as its readers and its users need
// it. All mutants go into one program, which is told by its environment which of them is active, because compiling takes
// longer than looking.
//
// The edited files exist beside the real ones; the go command is told to read them instead (its flag -overlay).
package mutant

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Mutant is a planted mistake.
type Mutant struct {
	Name  string
	In    string // where it must be found, if the test has several places
	Edits []Edit
}

// Edit replaces a piece of text that occurs once in a file. In New, MUTATED stands for the question whether the mutant is
// active.
type Edit struct{ File, Old, New string }

// Source is the text of files by their paths.
type Source map[string]string

// Read reads the Go files of folders, but for tests.
func Read(folders ...string) (Source, error) {
	source := Source{}
	for _, folder := range folders {
		names, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil || len(names) == 0 {
			return nil, fmt.Errorf("no source in %s: %w", folder, os.ErrNotExist)
		}
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			text, err := os.ReadFile(name)
			if err != nil {
				return nil, err
			}
			source[name] = string(text)
		}
	}
	return source, nil
}

// Plant makes the edits of a mutant; mutated is the expression that MUTATED stands for. A mutant whose place has changed is
// an error: left out, it would no longer prove anything.
func (s Source) Plant(m Mutant, mutated string) error {
	for _, e := range m.Edits {
		name, err := s.find(e.File)
		if err != nil {
			return fmt.Errorf("mutant %q: %w", m.Name, err)
		}
		if n := strings.Count(s[name], e.Old); n != 1 {
			return fmt.Errorf("mutant %q: %s contains %d times, want once: %s", m.Name, e.File, n, e.Old)
		}
		s[name] = strings.Replace(s[name], e.Old, strings.ReplaceAll(e.New, "MUTATED", mutated), 1)
	}
	return nil
}

// find returns the path that ends with an edit's file.
func (s Source) find(file string) (string, error) {
	for name := range s {
		if strings.HasSuffix(name, string(filepath.Separator)+file) {
			return name, nil
		}
	}
	return "", fmt.Errorf("%s: %w", file, os.ErrNotExist)
}

// Overlay writes the files into a folder, and the list of them that the go command takes, whose path it returns.
func (s Source) Overlay(folder string) (string, error) {
	replace := map[string]string{}
	for name, text := range s {
		path, err := filepath.Abs(name)
		if err != nil {
			return "", err
		}
		replace[path] = filepath.Join(folder, fmt.Sprintf("%d-%s", len(replace), filepath.Base(name)))
		if err := os.WriteFile(replace[path], []byte(text), 0o600); err != nil {
			return "", err
		}
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, "overlay.json")
	return path, os.WriteFile(path, list, 0o600)
}
