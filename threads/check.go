package threads

// Most is how many threads a process may be asked for.
const Most = maxThreads

// Check says why this machine cannot give a process n threads, and what to do about it; nil when it can. Without it the Go
// runtime's last words would be the first to tell.
func Check(n int) error { return checkThreads(n) }
