package option

import "testing"

func TestWhatAnOptionTakesIsSaidInItsUnits(t *testing.T) {
	for want, o := range map[string]Option{
		"a whole number, 1 to 1024":               {Kind: Int, Min: 1, Max: 1024},
		"a whole number, 0 or more":               {Kind: Int},
		"bytes, such as 512 or 64k, 512 to 1M":    {Kind: Size, Min: 512, Max: 1 << 20},
		"a number, or a share such as 5%, 0 to 1": {Kind: Float, Max: 1},
		"a time such as 100us, 0s to 1h0m0s":      {Kind: Duration, Max: 3600},
		"on or off":                               {Kind: Choice, Choices: []string{"on", "off"}},
		"any text":                                {Kind: Text},
	} {
		if got := o.Takes(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
