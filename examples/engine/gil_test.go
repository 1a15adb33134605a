package gil

import (
	"testing"

	"turnlab/engine/conformance"
)

func TestTheExampleSendsTheSameBytesAsEveryEngine(t *testing.T) { conformance.Run(t, Spec) }
