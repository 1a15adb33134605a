package engine

import _ "embed" // for the sources

// The code that carries out ops travels in the binary, so that a report can lay engines side by side (see engine.Spec).
var (
	//go:embed conn.go
	connGo string
	//go:embed awaited.go
	awaitedGo string
	//go:embed burn.go
	burnGo string
	//go:embed calls.go
	callsGo string
	//go:embed room.go
	roomGo string
)
