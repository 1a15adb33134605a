package load

import "turnlab/harness/control"

// Check returns what would keep l from being made on this machine, without making it: values out of bounds, too few local
// ports, too few open files. Whoever plans many loads asks beforehand, so that a mistake costs no measurement.
func Check(l control.Load) error {
	_, err := resolveLoad(l)
	return err
}
