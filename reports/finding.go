package reports

// A Finding is a sentence that the data supports. Whoever makes findings has done the statistics; reports only show them.
type Finding struct {
	Level  string   // one of the levels below
	Title  string   // the claim, in one sentence
	Text   string   // how large, how sure, under which conditions
	Charts []string // IDs of the experiment's plots, or names of files in charts without their ending
	// Experiment is the question that it answers, if it answers one's.
	Experiment string
}

// Levels of a finding.
const (
	Claim = "claim" // a difference that every test let pass
	Open  = "open"  // no difference was shown, which does not mean that there is none
	Limit = "limit" // what was not measured, or cannot be told
)
