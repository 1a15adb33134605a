package reports

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"

	"turnlab/harness/record"
	"turnlab/reports/digest"
	"turnlab/reports/unit"
)

// A download is a file that is carried in the page.
type download struct {
	Name, What, Size string
	Link             template.URL
}

// downloads packs the data behind the page into it, so that a page that was passed on alone can still be checked.
// Histograms and the course of each trial stay in trials.jsonl: they would make the page ten times as large.
func downloads(d *digest.Digest) ([]download, error) {
	if len(d.Trials) == 0 {
		return nil, nil
	}
	folder := record.Folder{Run: *d.Run, Trials: d.Trials}
	trials, err := pack(d.Run.ID+"-trials.jsonl.gz", "every trial, without histograms", func(w io.Writer) error {
		out := json.NewEncoder(w)
		for _, t := range d.Trials {
			t.Histograms, t.Windows, t.Classes = nil, nil, withoutHistograms(t.Classes)
			if err := out.Encode(t); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	summary, err := pack(d.Run.ID+"-summary.csv.gz", "one row per trial and figure", folder.WriteCSV)
	return []download{trials, summary}, err
}

// withoutHistograms returns the classes without what is large.
func withoutHistograms(classes map[string]record.Class) map[string]record.Class {
	if classes == nil {
		return nil
	}
	out := map[string]record.Class{}
	for name, c := range classes {
		c.Histograms = nil
		out[name] = c
	}
	return out
}

func pack(name, what string, write func(io.Writer) error) (download, error) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	err := write(z)
	if closed := z.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return download{}, fmt.Errorf("pack %s: %w", name, err)
	}
	return download{
		Name: name, What: what, Size: unit.Bytes.Format(float64(packed.Len())),
		Link: template.URL("data:application/gzip;base64," + base64.StdEncoding.EncodeToString(packed.Bytes())),
	}, nil
}
