package schema

import (
	"strings"
	"testing"
)

func TestADocumentIsHeldToEveryKeyword(t *testing.T) {
	for _, test := range []struct{ schema, good, bad, want string }{
		{`{"type":"integer"}`, `3`, `3.5`, "is number, must be integer"},
		{`{"type":["number","string"]}`, `3`, `true`, "is boolean"},
		{`{"type":"string","minLength":2}`, `"ab"`, `"ä"`, "shorter than 2"},
		{`{"minimum":0}`, `0`, `-1`, "at least 0"},
		{`{"const":"a"}`, `"a"`, `"b"`, "must be a"},
		{`{"enum":["a","b"]}`, `"b"`, `"c"`, "one of [a b]"},
		{`{"required":["x"]}`, `{"x":null}`, `{}`, "x is missing"},
		{`{"properties":{"x":{"type":"boolean"}}}`, `{"x":true,"y":1}`, `{"x":1}`, "x: is integer"},
		{`{"properties":{"x":{}},"additionalProperties":false}`, `{"x":1}`, `{"y":1}`, "there is no y"},
		{`{"additionalProperties":{"minimum":1}}`, `{"x":1}`, `{"x":0}`, "x: is 0"},
		{`{"items":{"type":"null"}}`, `[null]`, `[null,1]`, "[1]: is integer"},
		{`{"$ref":"#/$defs/n","$defs":{"n":{"type":"null"}}}`, `null`, `[]`, "is array"},
	} {
		if err := Check([]byte(test.schema), []byte(test.good)); err != nil {
			t.Errorf("%s refuses %s: %v", test.schema, test.good, err)
		}
		err := Check([]byte(test.schema), []byte(test.bad))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s of %s: %v; want %q", test.schema, test.bad, err, test.want)
		}
	}
}

func TestASchemaThatCannotBeCheckedIsRefused(t *testing.T) {
	for _, s := range []string{`{"pattern":"x"}`, `{"$ref":"#/$defs/none"}`, `{`} {
		if err := Check([]byte(s), []byte(`"x"`)); err == nil {
			t.Errorf("%s: accepted", s)
		}
	}
}
