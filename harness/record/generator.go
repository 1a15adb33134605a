package record

// An Interval is what was recorded of the requests that were due (closed loop: sent) in one part of the window.
type Interval struct {
	AtMS     int64 `json:"at_ms"` // its start, after the window began
	LengthMS int64 `json:"length_ms"`
	// Histograms are as those of the trial, but with two digits: they are many.
	Histograms map[string]string `json:"histograms"`
}

// Arrivals is a test of whether requests left as the Poisson process that was asked for: Anderson and Darling's statistic of
// the time that every so many gaps took together.
type Arrivals struct {
	Statistic float64 `json:"anderson_darling"`
	Sums      int     `json:"sums"`
	Gaps      int     `json:"gaps"` // of each sum
}

// A Calibration is what the generator can do on its CPUs with one shape of load, with nobody but a null responder to wait
// for. A rate above GenMaxRPS would measure the generator.
type Calibration struct {
	Workload string `json:"workload"`
	// Params are those of the load: connections, depth, transport, threads, generators, CPUs and the workload's options.
	Params     map[string]any `json:"params"`
	GenMaxRPS  float64        `json:"gen_max_rps"`        // highest rate that it kept; 0 when there was none
	AtLeast    bool           `json:"at_least,omitempty"` // no higher rate was tried, because none was asked for
	SlipP99NS  int64          `json:"slip_p99_ns"`        // at that rate
	ClientUtil float64        `json:"client_util"`        // CPU that it needs for that rate, as a share of what it can use
	Attempts   []Attempt      `json:"attempts"`           // in order
}

// An Attempt is one try of a rate in a calibration.
type Attempt struct {
	RateRPS    float64 `json:"rate_rps"`
	SlipP50NS  int64   `json:"slip_p50_ns"`
	SlipP99NS  int64   `json:"slip_p99_ns"`
	SentShare  float64 `json:"sent_share"`  // of what was due
	ClientUtil float64 `json:"client_util"` // CPU for this rate, by what each request sent took
	Passed     bool    `json:"passed"`
}
