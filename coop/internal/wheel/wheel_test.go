package wheel

import (
	"encoding/binary"
	"math"
	"testing"
	"time"
)

func TestNeverEarlyAndAtMostATickLate(t *testing.T) {
	for _, start := range []int64{0, 1, 1 << 30, 1<<42 - 1} {
		for shift := range 45 {
			for _, d := range []int64{1 << shift, 1<<shift - 1, 3 << shift} {
				if d == 0 {
					continue
				}
				w := New[int](start)
				w.Insert(start+d, 1)
				if _, ok := w.Pop(start + d - 1); ok {
					t.Fatalf("start %d: a timer of %d ns fired early", start, d)
				}
				if _, ok := w.Pop(start + d + Tick - 1); !ok {
					t.Fatalf("start %d: a timer of %d ns has not fired a tick late", start, d)
				}
			}
		}
	}
}

func TestThePastIsDueAtOnce(t *testing.T) {
	w := New[int](int64(time.Hour))
	w.Insert(-5, 1)
	w.Insert(0, 2)
	if next, ok := w.Next(); !ok || next > int64(time.Hour) {
		t.Errorf("Next() = %d, %v", next, ok)
	}
	for range 2 {
		if _, ok := w.Pop(int64(time.Hour)); !ok {
			t.Error("a timer in the past is not due")
		}
	}
}

func TestTheEndOfTimeIsFarAway(t *testing.T) {
	w := New[int](0)
	h := w.Insert(math.MaxInt64, 1)
	if next, ok := w.Next(); !ok || next < int64(1000*time.Hour) {
		t.Errorf("Next() = %d, %v: an executor would not sleep", next, ok)
	}
	if _, ok := w.Pop(1 << 61); ok {
		t.Error("it fired")
	}
	if v, ok := w.Cancel(h); !ok || v != 1 {
		t.Error("it cannot be cancelled")
	}
}

func TestCancelAfterTheEndIsHarmless(t *testing.T) {
	w := New[int](0)
	h := w.Insert(10, 1)
	if _, ok := w.Pop(Tick); !ok {
		t.Fatal("it has not fired")
	}
	w.Insert(10*Tick, 2) // takes the same place
	if _, ok := w.Cancel(h); ok {
		t.Error("a timer that has fired can be cancelled")
	}
	if w.Len() != 1 {
		t.Error("cancelling a timer that has fired took another one")
	}
}

func TestNextLeadsToEveryTimerInFewSteps(t *testing.T) {
	w := New[int](0)
	deadline := int64(123 * time.Hour)
	w.Insert(deadline, 1)
	now := int64(0)
	for steps := 0; ; steps++ {
		if _, ok := w.Pop(now); ok {
			break
		}
		next, ok := w.Next()
		if !ok || next <= now || steps > rings {
			t.Fatalf("step %d: Next() = %d, %v at %d", steps, next, ok, now)
		}
		now = next
	}
	if now < deadline || now > deadline+Tick {
		t.Errorf("fired at %d, want %d", now, deadline)
	}
}

// FuzzAgainstAList plays inserts, cancels and steps of the clock to a wheel and to a plain list, which must agree.
func FuzzAgainstAList(f *testing.F) {
	f.Add([]byte("0aaaaaaaa1bbbbbbbb2cccccccc2dddddddd"))
	f.Add([]byte{0, 255, 255, 255, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, ops []byte) {
		now := int64(1000)
		w := New[int](now)
		model := map[int]int64{} // number of the timer -> deadline
		var handles []Handle
		for ; len(ops) >= 9; ops = ops[9:] {
			arg := int64(binary.LittleEndian.Uint64(ops[1:])) >> (ops[0] >> 2) // distances of every size
			switch ops[0] & 3 {
			case 0, 3:
				model[len(handles)] = now + arg
				if now > 0 && arg > math.MaxInt64-now {
					model[len(handles)] = math.MaxInt64
				}
				handles = append(handles, w.Insert(model[len(handles)], len(handles)))
			case 1:
				cancel(t, w, model, handles, arg)
			case 2:
				if step := arg & math.MaxInt64; step < math.MaxInt64-now {
					now += step
				}
				fire(t, w, model, now)
			}
		}
		if w.Len() != len(model) {
			t.Fatalf("Len() = %d, want %d", w.Len(), len(model))
		}
	})
}

func cancel(t *testing.T, w *Wheel[int], model map[int]int64, handles []Handle, arg int64) {
	if len(handles) == 0 {
		return
	}
	i := int(uint64(arg) % uint64(len(handles)))
	_, waits := model[i]
	if v, ok := w.Cancel(handles[i]); ok != waits || ok && v != i {
		t.Fatalf("Cancel(timer %d) = %d, %v; want %v", i, v, ok, waits)
	}
	delete(model, i)
}

func fire(t *testing.T, w *Wheel[int], model map[int]int64, now int64) {
	for i, ok := w.Pop(now); ok; i, ok = w.Pop(now) {
		deadline, waits := model[i]
		if !waits {
			t.Fatalf("timer %d fired, which does not wait", i)
		}
		if deadline > now && deadline < math.MaxInt64-Tick {
			t.Fatalf("timer %d fired %d ns early", i, deadline-now)
		}
		delete(model, i)
	}
	for i, deadline := range model {
		if deadline <= now-Tick {
			t.Fatalf("timer %d of %d has not fired at %d", i, deadline, now)
		}
	}
	if next, ok := w.Next(); ok != (len(model) > 0) || ok && next <= now-Tick {
		t.Fatalf("Next() = %d, %v with %d timers at %d", next, ok, len(model), now)
	}
}

func BenchmarkInsertCancel(b *testing.B) {
	w := New[int](0)
	for i := range int64(1000) {
		w.Insert(i*int64(time.Millisecond), 0)
	}
	b.ReportAllocs()
	for i := range b.N {
		w.Cancel(w.Insert(int64(i&1023)*int64(time.Millisecond), 1))
	}
}

func BenchmarkAMillionTimers(b *testing.B) {
	w := New[int](0)
	now := int64(0)
	for i := range int64(1_000_000) {
		w.Insert(i*1000, 0)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		if _, ok := w.Pop(now); ok {
			w.Insert(now+int64(time.Second), 0)
		} else {
			now, _ = w.Next()
		}
	}
}
