package experiments

import (
	"testing"

	"turnlab/engine/all"
	"turnlab/harness/plan"
	"turnlab/harness/proc"
)

func TestAnEngineAsItComesIsOneWithItsDefaults(t *testing.T) {
	cpus, err := proc.ParseCPUs("0-1")
	if err != nil {
		t.Fatal(err)
	}
	met := map[string]bool{}
	for _, spec := range all.Specs {
		p, err := plan.Sweep{Engines: []string{spec.Label()}, Workloads: []string{"echo"}, Blocks: 1}.Resolve(catalog, cpus)
		if err != nil {
			t.Fatal(err)
		}
		for name, usual := range usually {
			if v, has := p.Points[0].Params[name]; has {
				if met[name] = true; v != usual {
					t.Errorf("%s is %v by default under %s, and %v is taken for that", name, v, spec.Label(), usual)
				}
			}
		}
		if !plainly(spec.Label()).is(p.Points[0]) {
			t.Errorf("%s with its defaults is not taken for plain", spec.Label())
		}
	}
	for name := range usually {
		if !met[name] {
			t.Errorf("no engine has the option %s", name)
		}
	}
}
