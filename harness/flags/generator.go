package flags

import "turnlab/harness/record"

// arrivalsBound is the value that Anderson and Darling's statistic of uniform values exceeds once in a thousand times
// (Marsaglia and Marsaglia, "Evaluating the Anderson-Darling distribution", 2004; 3.86 is the value of once in a hundred). A
// run has hundreds of trials, and each false doubt costs somebody an hour.
const arrivalsBound = 6.0

// arrivalsWrong: requests did not leave as the Poisson process that was asked for. Then queues were not those of many
// independent users, whatever the rate. Where the server cannot keep up, requests leave when a connection becomes free, and
// overloaded says so already.
func arrivalsWrong(t *record.Trial) (record.Flag, bool) {
	if t.Arrivals == nil {
		return record.Flag{}, false
	}
	_, over := overloaded(t)
	return record.Flag{
		Level: record.Warn, Figure: t.Arrivals.Statistic, Bound: arrivalsBound, Unit: "A²",
		Advice: "requests did not leave as a Poisson process of this rate: connections ran out (raise --conns), or the generator " +
			"was held up (see slip)",
	}, t.Arrivals.Statistic > arrivalsBound && !over
}

// apartMax is how far the windows of several generators may be apart, as a share of the window.
const apartMax = 0.01

// generatorsApart: the load was whole only while all generators were in their windows.
func generatorsApart(t *record.Trial) (record.Flag, bool) {
	apart, bound := float64(t.ApartNS), apartMax*t.WindowSeconds*1e9
	return record.Flag{
		Level: record.Warn, Figure: apart, Bound: bound, Unit: "ns",
		Advice: "the generators' windows did not begin and end together: use a longer --duration, or fewer generators",
	}, bound > 0 && apart > bound
}
