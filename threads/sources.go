package threads

import _ "embed" // for the sources

// The code that carries out ops travels in the binary, so that a report can lay engines side by side (see engine.Spec).
var (
	//go:embed drive.go
	driveGo string
	//go:embed call.go
	callGo string
	//go:embed room.go
	roomGo string
	//go:embed pool_worker.go
	poolGo string
)
