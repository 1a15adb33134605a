package slab

import "testing"

func TestAHandleGoesStaleWithItsValue(t *testing.T) {
	var s Slab[string]
	first, v := s.Insert()
	*v = "first"
	if !s.Remove(first) {
		t.Fatal("Remove does not know the handle that Insert returned")
	}
	second, v := s.Insert()
	if second.Place() != first.Place() {
		t.Errorf("place %d, want %d again", second.Place(), first.Place())
	}
	if *v != "" {
		t.Errorf("a new value is %q, want the zero value", *v)
	}
	if s.Get(first) != nil || s.Remove(first) {
		t.Error("a stale handle reaches the value that came after its own")
	}
}

func TestTheZeroHandleNamesNothing(t *testing.T) {
	var s Slab[int]
	if s.Get(0) != nil {
		t.Error("the zero Handle names something in an empty slab")
	}
	s.Insert()
	if s.Get(0) != nil || s.Remove(0) {
		t.Error("the zero Handle names something")
	}
}

func TestValuesDoNotMove(t *testing.T) {
	var s Slab[int]
	h, first := s.Insert()
	for range 10 * chunkLen {
		s.Insert()
	}
	if s.Get(h) != first {
		t.Error("growing moved a value")
	}
}

// FuzzAgainstAMap plays operations to a slab and to a map, which must agree.
func FuzzAgainstAMap(f *testing.F) {
	f.Add([]byte{0, 0, 1, 0, 0, 2, 1, 1, 0})
	f.Fuzz(func(t *testing.T, ops []byte) {
		var s Slab[int]
		model := map[Handle]int{}
		var handles []Handle // every one ever given out
		for i, op := range ops {
			if op%3 == 0 || len(handles) == 0 {
				h, v := s.Insert()
				if _, taken := model[h]; taken || h == 0 {
					t.Fatalf("handle %x is given out again while it is in use", h)
				}
				*v, model[h] = i, i
				handles = append(handles, h)
				continue
			}
			h := handles[int(op)%len(handles)]
			want, alive := model[h]
			if v := s.Get(h); (v != nil) != alive || alive && *v != want {
				t.Fatalf("Get(%x) = %v; the model says %v, %v", h, v, want, alive)
			}
			if op%3 == 1 && s.Remove(h) != alive {
				t.Fatalf("Remove(%x) = %v", h, !alive)
			}
			if op%3 == 1 {
				delete(model, h)
			}
		}
		check(t, &s, model)
	})
}

func check(t *testing.T, s *Slab[int], model map[Handle]int) {
	if s.Len() != len(model) {
		t.Fatalf("Len() = %d, want %d", s.Len(), len(model))
	}
	seen := 0
	for h, v := range s.All {
		seen++
		if want, ok := model[h]; !ok || *v != want {
			t.Fatalf("All yields %x = %d; the model says %d, %v", h, *v, want, ok)
		}
	}
	if seen != len(model) {
		t.Fatalf("All yields %d values, want %d", seen, len(model))
	}
}
