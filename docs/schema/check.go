package schema

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
)

// Check returns nil when document, a JSON text, is what schema says, and otherwise the first difference with its place.
//
// It knows the keywords that the schemas of this package use, and refuses a schema that uses another: a keyword that was
// ignored would check nothing.
func Check(schema, document []byte) error {
	var s map[string]any
	if err := json.Unmarshal(schema, &s); err != nil {
		return fmt.Errorf("read the schema: %w", err)
	}
	var d any
	if err := json.Unmarshal(document, &d); err != nil {
		return fmt.Errorf("read the document: %w", err)
	}
	return checker{s}.value("", s, d)
}

type checker struct{ root map[string]any }

// value checks d against the keywords of s, in a fixed order so that messages do not vary.
func (c checker) value(at string, s map[string]any, d any) error {
	for _, name := range slices.Sorted(maps.Keys(s)) {
		check, ok := keywords[name]
		if !ok {
			return fmt.Errorf("%s: the schema uses %q, which this checker does not know", orTop(at), name)
		}
		if check == nil {
			continue
		}
		if err := check(c, at, s, d); err != nil {
			return err
		}
	}
	return nil
}

func orTop(at string) string {
	if at == "" {
		return "the document"
	}
	return strings.TrimPrefix(at, ".")
}

// keywords holds how each keyword is checked; those without a check only describe.
var keywords map[string]func(c checker, at string, s map[string]any, d any) error

func init() {
	keywords = map[string]func(c checker, at string, s map[string]any, d any) error{
		"$schema": nil, "$id": nil, "$defs": nil, "title": nil, "description": nil,
		"$ref": checker.ref, "type": checker.types, "const": checker.constant, "enum": checker.enum, "required": checker.required,
		"properties": checker.properties, "additionalProperties": checker.additional, "items": checker.items,
		"minimum": checker.minimum, "minLength": checker.minLength,
	}
}

func (c checker) ref(at string, s map[string]any, d any) error {
	name, _ := strings.CutPrefix(s["$ref"].(string), "#/$defs/")
	defs, _ := c.root["$defs"].(map[string]any)
	target, ok := defs[name].(map[string]any)
	if !ok {
		return fmt.Errorf("the schema refers to %v, which is not there", s["$ref"])
	}
	return c.value(at, target, d)
}

func (c checker) types(at string, s map[string]any, d any) error {
	list, ok := s["type"].([]any)
	if !ok {
		list = []any{s["type"]}
	}
	is := typeOf(d)
	if slices.Contains(list, any(is)) || is == "integer" && slices.Contains(list, any("number")) {
		return nil
	}
	return fmt.Errorf("%s: is %s, must be %v", orTop(at), is, s["type"])
}

func typeOf(d any) string {
	switch x := d.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case float64:
		if x == math.Trunc(x) {
			return "integer"
		}
		return "number"
	}
	return "object"
}

func (c checker) constant(at string, s map[string]any, d any) error {
	if !reflect.DeepEqual(s["const"], d) {
		return fmt.Errorf("%s: is %v, must be %v", orTop(at), d, s["const"])
	}
	return nil
}

func (c checker) enum(at string, s map[string]any, d any) error {
	for _, x := range s["enum"].([]any) {
		if reflect.DeepEqual(x, d) {
			return nil
		}
	}
	return fmt.Errorf("%s: is %v, must be one of %v", orTop(at), d, s["enum"])
}

func (c checker) required(at string, s map[string]any, d any) error {
	object, _ := d.(map[string]any)
	for _, name := range s["required"].([]any) {
		if _, ok := object[name.(string)]; !ok {
			return fmt.Errorf("%s: %v is missing", orTop(at), name)
		}
	}
	return nil
}

func (c checker) properties(at string, s map[string]any, d any) error {
	object, _ := d.(map[string]any)
	known := s["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if sub, ok := known[name].(map[string]any); ok {
			if err := c.value(at+"."+name, sub, object[name]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c checker) additional(at string, s map[string]any, d any) error {
	object, _ := d.(map[string]any)
	known, _ := s["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if _, ok := known[name]; ok {
			continue
		}
		sub, ok := s["additionalProperties"].(map[string]any)
		if !ok {
			return fmt.Errorf("%s: there is no %s", orTop(at), name)
		}
		if err := c.value(at+"."+name, sub, object[name]); err != nil {
			return err
		}
	}
	return nil
}

func (c checker) items(at string, s map[string]any, d any) error {
	list, _ := d.([]any)
	for i, x := range list {
		if err := c.value(fmt.Sprintf("%s[%d]", at, i), s["items"].(map[string]any), x); err != nil {
			return err
		}
	}
	return nil
}

func (c checker) minimum(at string, s map[string]any, d any) error {
	if x, ok := d.(float64); ok && x < s["minimum"].(float64) {
		return fmt.Errorf("%s: is %v, must be at least %v", orTop(at), x, s["minimum"])
	}
	return nil
}

func (c checker) minLength(at string, s map[string]any, d any) error {
	if x, ok := d.(string); ok && float64(len([]rune(x))) < s["minLength"].(float64) {
		return fmt.Errorf("%s: is shorter than %v characters", orTop(at), s["minLength"])
	}
	return nil
}
