// Package schema holds the published descriptions of the lab's files.
package schema

import _ "embed"

// Trial is the JSON Schema (draft 2020-12) of one line of trials.jsonl.
//
//go:embed trial.schema.json
var Trial []byte
