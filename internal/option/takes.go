package option

import "strings"

// Takes says which values the option takes and in which units: "a time such as 100us, 0s to 1h0m0s".
func (o Option) Takes() string {
	switch o.Kind {
	case Choice:
		return strings.Join(o.Choices, " or ")
	case Text:
		return "any text"
	}
	return map[Kind]string{
		Int: "a whole number", Size: "bytes, such as 512 or 64k", Float: "a number, or a share such as 5%", Duration: "a time such as 100us",
	}[o.Kind] + ", " + o.bounds()
}
