package timeline

import (
	"fmt"
	"time"

	"turnlab/harness/record"
)

// Sentence says in a line what a timeline shows: how long somebody had to wait, for how many runs, and how far that can be
// trusted.
func Sentence(t *record.Timeline) string {
	text := t.Name + ": "
	class, who := "", "a request"
	if _, _, ok := t.Longest(record.Innocent); ok {
		class, who = record.Innocent, "an innocent request"
	}
	if _, wait, ok := t.Longest(class); ok {
		text += fmt.Sprintf("%s waited %v at the longest", who, time.Duration(wait).Round(10*time.Microsecond))
	} else {
		text += "no request came"
	}
	text += fmt.Sprintf(" (%d requests, source: %s", len(t.Requests), t.Source)
	if share, ok := t.Coverage(); ok {
		text += fmt.Sprintf(", the slices are %.0f %% of the server's CPU time", 100*share)
	}
	text += ")"
	if t.Disturbed() {
		text += fmt.Sprintf("; disturbed: other processes had the server's CPUs for %v, and the client was up to %v late; repeat it "+
			"on a quiet machine", millis(t.StolenNS), millis(t.LateNS))
	}
	for _, note := range []string{t.Note, t.Cut} {
		if note != "" {
			text += "; " + note
		}
	}
	return text
}

func millis(ns int64) time.Duration { return time.Duration(ns).Round(100 * time.Microsecond) }
