// Package schema holds the published descriptions of the lab's files, as JSON Schemas (draft 2020-12).
package schema

import _ "embed"

// Run describes run.json.
//
//go:embed run.schema.json
var Run []byte

// Trial describes one line of trials.jsonl.
//
//go:embed trial.schema.json
var Trial []byte
