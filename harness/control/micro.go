package control

// Micro tells a micro child which operation to do, and for how long.
type Micro struct {
	Engine    string            `json:"engine"` // label: coop, coop/await
	Operation string            `json:"operation"`
	Options   map[string]string `json:"options,omitempty"`  // of the engine: the common ones, and those of its way to do it
	Settings  map[string]string `json:"settings,omitempty"` // of the operation
	WarmupNS  int64             `json:"warmup_ns"`
	WindowNS  int64             `json:"window_ns"` // 0 for an operation that holds what it makes
}

// MicroResult is what a micro child measured.
type MicroResult struct {
	Operations uint64 `json:"operations"`
	Used       Usage  `json:"used"` // over that time; memory and the runtime's figures are those of its end
	Allocs     uint64 `json:"allocs"`
	AllocBytes uint64 `json:"alloc_bytes"`
	// Before is the process's memory before the operations, of those that hold what they make; Used has it after.
	Before map[string]uint64 `json:"memory_bytes_before,omitempty"`
}
