package reports

import "testing"

// BenchmarkWrite renders the quick fixture (144 trials) and a run of a thousand trials. The goals are two and five seconds.
func BenchmarkWrite(b *testing.B) {
	b.Run("trials=144", func(b *testing.B) {
		run, trials := quickFixture()
		for b.Loop() {
			if _, err := Write(run, trials, b.TempDir(), Options{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("trials=1008", func(b *testing.B) {
		run, trials := largeFixture()
		for b.Loop() {
			if _, err := Write(run, trials, b.TempDir(), Options{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
